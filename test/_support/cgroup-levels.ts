// SPDX-License-Identifier: Apache-2.0
// A chain of cgroups, one below the other, and a container in the middle of it: its root is the third,
// its first process in an init.scope there, its second process in the lowest.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Guard } from './guard.js';
import { PythonProcess } from './python.js';
import { mebibyte } from './units.js';

const cgroupRoot = '/sys/fs/cgroup';

/** Whether this machine has cgroup v2 and nothing else. */
export const isUnified = existsSync(join(cgroupRoot, 'cgroup.controllers'));

const v1Controllers = ['memory', 'cpu', 'cpuset'];
const rootLevel = 3;
const periodUsec = 100_000;

/** Limits of one level; what is left out is not limited. */
export interface LevelLimits {
  readonly memoryMib?: number;
  readonly swapMib?: number;
  readonly cpuset?: string;
  /** A quota, in CPUs. */
  readonly cpus?: number;
}

/**
 * Enters the container's root, makes it the root of a cgroup namespace, leaves it for init.scope, and forks
 * the first process of a pid namespace there. Told a path, that and a child in the lowest cgroup read it.
 */
const container = `
  roots, scopes, lowest = (group.split(':') for group in args)
  def enter(directories):
      for directory in directories:
          open(directory + '/cgroup.procs', 'w').write('0')
  enter(roots)
  assert libc.unshare(0x02000000 | 0x20000000) == 0  # CLONE_NEWCGROUP | CLONE_NEWPID
  enter(scopes)
  if os.fork() != 0:
      os.wait()
      os._exit(0)
  path = step()
  first = open(path).read()
  pipe = os.pipe()
  if os.fork() == 0:
      enter(lowest)
      os.write(pipe[1], open(path).read().encode())
      os._exit(0)
  os.close(pipe[1])
  second = b''
  while piece := os.read(pipe[0], 65536):
      second += piece
  os.wait()
  reply([first, second.decode()])
`;

let made = 0;

/** Disposing kills what runs in it and removes it. */
export class TestHierarchy implements AsyncDisposable {
  readonly #path: string;
  readonly #levels: readonly LevelLimits[];
  readonly #guard: Guard;

  private constructor(path: string, levels: readonly LevelLimits[]) {
    this.#path = path;
    this.#levels = levels;
    this.#guard = new Guard('remove_cgroups "$1"', path);
  }

  /** `levels` from the top; the third is the container's root. */
  static async create(levels: readonly LevelLimits[]): Promise<TestHierarchy> {
    made += 1;
    const hierarchy = new TestHierarchy(`/lensfs-levels-${process.pid}-${made}`, levels);
    try {
      await hierarchy.#make(0, rootLevel);
      return hierarchy;
    } catch (error) {
      await hierarchy[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A file as the first process of the container and one in the lowest cgroup read it. */
  async readInside(path: string): Promise<[string, string]> {
    const root = this.#pathOf(rootLevel);
    for (const directory of directoriesOf(`${root}/init.scope`)) await mkdir(directory);
    await inheritCpuset(`${root}/init.scope`);
    const lowest = this.#pathOf(this.#levels.length);
    const args = [root, `${root}/init.scope`, lowest].map((each) => directoriesOf(each).join(':'));
    await using inside = new PythonProcess(container, { args });
    await inside.next();
    // A v2 cgroup with processes cannot have children with controllers; now it has no processes.
    await this.#make(rootLevel, this.#levels.length);
    inside.go(path);
    const texts = await inside.next<[string, string]>();
    await inside.exited;
    return texts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard[Symbol.asyncDispose]();
  }

  #pathOf(level: number): string {
    const names = Array.from({ length: level - 1 }, (_, index) => `cg${index + 2}`);
    return [this.#path, ...names].join('/');
  }

  async #make(from: number, to: number): Promise<void> {
    for (let level = from + 1; level <= to; level += 1) {
      const path = this.#pathOf(level);
      if (isUnified) await delegate(join(path, '..'));
      for (const directory of directoriesOf(path)) await mkdir(directory);
      await inheritCpuset(path);
      await limit(path, this.#levels[level - 1] ?? {});
    }
  }
}

function directoriesOf(path: string): string[] {
  if (isUnified) return [join(cgroupRoot, path)];
  return v1Controllers.map((controller) => join(cgroupRoot, controller, path));
}

function fileOf(path: string, controller: string, name: string): string {
  return join(cgroupRoot, isUnified ? '' : controller, path, name);
}

async function delegate(parent: string): Promise<void> {
  await writeFile(fileOf(parent, '', 'cgroup.subtree_control'), '+memory +cpu +cpuset');
}

/** A v1 cpuset takes no process before it has CPUs and memory nodes. */
async function inheritCpuset(path: string): Promise<void> {
  if (isUnified) return;
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const value = await readFile(fileOf(join(path, '..'), 'cpuset', name), 'utf8');
    await writeFile(fileOf(path, 'cpuset', name), value);
  }
}

async function limit(path: string, limits: LevelLimits): Promise<void> {
  const { memoryMib, swapMib, cpuset, cpus } = limits;
  const write = async (controller: string, v2: string, v1: string, value: string | number) =>
    await writeFile(fileOf(path, controller, isUnified ? v2 : v1), `${value}`);
  if (memoryMib !== undefined) {
    await write('memory', 'memory.max', 'memory.limit_in_bytes', memoryMib * mebibyte);
  }
  if (swapMib !== undefined) {
    const v1Mib = (memoryMib ?? 0) + swapMib; // of memory and swap together
    const value = (isUnified ? swapMib : v1Mib) * mebibyte;
    await write('memory', 'memory.swap.max', 'memory.memsw.limit_in_bytes', value);
  }
  if (cpuset !== undefined) await write('cpuset', 'cpuset.cpus', 'cpuset.cpus', cpuset);
  if (cpus !== undefined) {
    const quota = `${cpus * periodUsec}`;
    await write('cpu', 'cpu.max', 'cpu.cfs_quota_us', isUnified ? `${quota} ${periodUsec}` : quota);
  }
}
