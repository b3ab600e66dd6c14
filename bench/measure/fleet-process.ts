// SPDX-License-Identifier: Apache-2.0
// Many containers, made cheaply: a cgroup and one process in a pid namespace each.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { TestCgroup } from '../../test/_support/cgroup.js';
import { waitUntil } from '../../test/_support/wait.js';
import { prefer } from '../precedence.js';
import { loadProgram, type Tally } from './programs.js';

const memoryBytes = 64 * 2 ** 20;
const digits = 4;

/** A running `lensfs-fleet` (native/load/fleet_main.cc); disposing removes all containers. */
export class Fleet implements AsyncDisposable {
  readonly #parent: TestCgroup;
  readonly #count: number;
  #child: ChildProcess | undefined;
  #lines: Interface | undefined;

  private constructor(parent: TestCgroup, count: number) {
    this.#parent = parent;
    this.#count = count;
  }

  static async start(count: number): Promise<Fleet> {
    const fleet = new Fleet(await TestCgroup.create(), count);
    try {
      await prefer(fleet.#parent);
      fleet.#makeCgroups();
      await fleet.#startProcesses();
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The path of a container's cgroup; "{}" stands for its number. */
  get cgroupPath(): string {
    return `${this.#parent.path}/{}`;
  }

  /** Each container in turn reads the files once. */
  once(files: readonly string[]): Promise<Tally> {
    return this.#ask(['once', ...files]);
  }

  /** The same again and again, without a pause. */
  turns(seconds: number, files: readonly string[]): Promise<Tally> {
    return this.#ask(['turns', `${seconds}`, ...files]);
  }

  /** All containers read the files once in a period. */
  poll(seconds: number, periodSeconds: number, files: readonly string[]): Promise<Tally> {
    return this.#ask(['poll', `${seconds}`, `${periodSeconds}`, ...files]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined && this.#child.exitCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.stdin?.end();
      await exited;
    }
    for (const directory of this.#directories()) {
      // A process that has been killed may still be leaving.
      await waitUntil(`${directory} is gone`, () => isGone(directory));
    }
    await this.#parent[Symbol.asyncDispose]();
  }

  #directories(): string[] {
    return this.#parent.directories.flatMap((directory) =>
      Array.from({ length: this.#count }, (_, number) =>
        join(directory, `${number}`.padStart(digits, '0')),
      ),
    );
  }

  #makeCgroups(): void {
    for (const parent of this.#parent.directories) handDown(parent);
    for (const directory of this.#directories()) {
      mkdirSync(directory);
      for (const name of ['memory.max', 'memory.limit_in_bytes']) {
        writeIfThere(join(directory, name), `${memoryBytes}`);
      }
    }
  }

  async #startProcesses(): Promise<void> {
    const procs = this.#parent.directories.map((directory) => `${directory}/{}/cgroup.procs`);
    const args = [`${this.#count}`, ...procs];
    this.#child = spawn(loadProgram('lensfs-fleet'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin?.on('error', () => {}); // it has ended, and says why itself
    if (this.#child.stdout !== null) this.#lines = createInterface(this.#child.stdout);
    await this.#nextLine();
  }

  async #ask(words: readonly string[]): Promise<Tally> {
    this.#child?.stdin?.write(`${words.join(' ')}\n`);
    return JSON.parse(await this.#nextLine()) as Tally;
  }

  async #nextLine(): Promise<string> {
    if (this.#lines === undefined) throw new Error('lensfs-fleet has no output');
    const lines = this.#lines;
    return await new Promise((resolve, reject) => {
      const onClose = () => reject(new Error('lensfs-fleet has ended'));
      lines.once('close', onClose);
      lines.once('line', (line) => {
        lines.off('close', onClose);
        resolve(line);
      });
    });
  }
}

/** Lets the cgroups below have controllers (v2), and the CPUs of their parent (v1). */
function handDown(parent: string): void {
  writeIfThere(join(parent, 'cgroup.clone_children'), '1');
  const controllers = readIfThere(join(parent, 'cgroup.controllers')).trim();
  if (controllers === '') return;
  const enable = controllers.split(' ').map((name) => `+${name}`);
  writeFileSync(join(parent, 'cgroup.subtree_control'), enable.join(' '));
}

/** Not with O_CREAT: a cgroup has the files it has. */
function writeIfThere(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'r+' });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw error;
    return '';
  }
}

function isGone(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return isMissing(error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
