// SPDX-License-Identifier: Apache-2.0
// Runs the built program in child processes, as people do.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { endsWithThis } from './ends-with-this.js';
import { mountPointsIn } from './mounts.js';
import { patience } from './patience.js';
import { TempDir } from './temp-dir.js';
import { waitUntil } from './wait.js';

/** The file that package.json names as the command. */
export const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Less than a test may take, so that a command that hangs shows up as one that was killed. */
const commandTimeoutMs = 20_000 * patience;

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** One line of the log. */
interface LogLine {
  level: string;
  msg: string;
  /** Journald's, where the line begins with it. */
  priority?: number;
  [field: string]: unknown;
}

/** An environment without what a developer may have set for lensfs. */
export function cleanEnvironment(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LENSFS_'));
  return { ...Object.fromEntries(inherited), ...extra };
}

/** Runs a command to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    env: cleanEnvironment(),
    timeout: commandTimeoutMs,
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await ended;
  return { code, signal, stdout, stderr };
}

/** Runs one `lensfs` command to its end. */
export function lensfs(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  return run(program, args, { env: cleanEnvironment(env) });
}

/** How its reads are to come, where a test does not say: `TEST_TRANSPORT` runs tests for another way. */
function transportUnderTest(): string[] {
  const transport = process.env['TEST_TRANSPORT'];
  return transport === undefined ? [] : ['--set', `transport=${transport}`];
}

export interface CommandOptions {
  env?: Record<string, string>;
  /** The program itself, where it is another build than this checkout's. */
  program?: string;
  /** A command that runs it, such as `['prlimit', '--nofile=1024']`. */
  prefix?: readonly string[];
}

export interface StartOptions extends CommandOptions {
  /** Where its directories are; a new one when not given. */
  dir?: TempDir;
}

interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The name of a process; "" when there is none. */
async function commandOf(pid: string): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
}

/** Name and place in the kernel of each thread of a process. */
function threadStates(pid: number | undefined): string {
  const tasks = `/proc/${pid}/task`;
  try {
    const lines = readdirSync(tasks).map((tid) =>
      ['comm', 'wchan', 'syscall'].map((file) =>
        readFileSync(`${tasks}/${tid}/${file}`, 'utf8').trim(),
      ),
    );
    return lines.map((line) => line.join(' ')).join('\n');
  } catch (error) {
    return String(error);
  }
}

/** A `lensfs` that goes on until it is told to end, and its log; disposing tells it and waits. */
export class RunningCommand implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly log: LogLine[] = [];
  /** Lines of standard error that are no JSON. */
  readonly otherLines: string[] = [];
  readonly #exited: Promise<Ending>;
  #waiting: (() => void)[] = [];

  constructor(args: readonly string[], options: CommandOptions = {}) {
    const started = options.program ?? program;
    const [first = started, ...rest] = [
      ...endsWithThis('TERM'),
      ...(options.prefix ?? []),
      started,
    ];
    this.child = spawn(first, [...rest, ...args], {
      env: cleanEnvironment(options.env),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#exited = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
    if (this.child.stderr !== null) {
      createInterface(this.child.stderr).on('line', (line) => this.#onLine(line));
    }
    // For a test that timed out, which disposes nothing: the daemon unmounts when it is told to end.
    const end = () => this.child.kill('SIGTERM');
    process.once('exit', end);
    void this.#exited.then(() => {
      process.off('exit', end);
      this.#wake();
    });
  }

  /** The `count`th log line with a message; rejects when the daemon ends without having written it. */
  async logged(message: string, count = 1): Promise<LogLine> {
    for (;;) {
      const found = this.log.filter(({ msg }) => msg === message)[count - 1];
      if (found !== undefined) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`lensfs ended without "${message}": ${this.otherLines.join('\n')}`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** How it ended; rejects with what its threads do when it does not end. */
  get exited(): Promise<Ending> {
    return this.#ended();
  }

  async #ended(): Promise<Ending> {
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<never>((_, reject) => {
      const tell = () => reject(new Error(`lensfs does not end:\n${threadStates(this.child.pid)}`));
      timer = setTimeout(tell, commandTimeoutMs);
    });
    try {
      return await Promise.race([this.#exited, stuck]);
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), 10_000 * patience);
    await this.#exited;
    clearTimeout(killer);
  }

  #onLine(line: string): void {
    const [, priority, json = line] = /^<(\d)>(.*)$/.exec(line) ?? [];
    try {
      const parsed = JSON.parse(json) as LogLine;
      this.log.push(priority === undefined ? parsed : { ...parsed, priority: Number(priority) });
    } catch {
      this.otherLines.push(line);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** A `lensfs serve` on directories of its own; disposing stops it and removes all it left. */
export class RunningDaemon extends RunningCommand {
  readonly dir: TempDir;
  readonly tree: string;
  readonly runDir: string;
  readonly #outlives: boolean;

  private constructor(dir: TempDir, args: readonly string[], options: StartOptions) {
    const [tree, runDir] = [dir.at('tree'), dir.at('run')];
    const paths = ['--tree', tree, '--run-dir', runDir];
    super(['serve', ...paths, ...transportUnderTest(), ...args], options);
    this.dir = dir;
    this.tree = tree;
    this.runDir = runDir;
    this.#outlives = args.includes('--outlive');
  }

  /** Starts one and waits until it serves. */
  static async start(
    args: readonly string[] = [],
    options: StartOptions = {},
  ): Promise<RunningDaemon> {
    const dir = options.dir ?? (await TempDir.create());
    const daemon = new RunningDaemon(dir, args, options);
    try {
      await daemon.logged('Serving');
      return daemon;
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The process that answers reads; waits until there is one. */
  async workerPid(): Promise<number> {
    let pid = 0;
    await waitUntil('a worker runs', async () => {
      const children = `/proc/${this.child.pid}/task/${this.child.pid}/children`;
      const text = await readFile(children, 'utf8');
      // One that is about to end still has its number; the last one was started last. Copies of the keeper work in
      // containers, or are about to become a worker.
      const names = await Promise.all(
        text.split(' ').map(async (child) => [child, await commandOf(child)] as const),
      );
      pid = Number(names.findLast(([, name]) => name !== '' && name !== 'lensfs-keeper')?.[0] ?? 0);
      return pid > 0;
    });
    return pid;
  }

  /** Kills both processes: the keeper first, which would start another worker. */
  async killAll(): Promise<void> {
    const worker = await this.workerPid();
    this.child.kill('SIGKILL');
    process.kill(worker, 'SIGKILL');
    await this.exited;
  }

  /** Runs a client command for this daemon. */
  command(name: string, ...args: string[]): Promise<Finished> {
    return lensfs([name, '--run-dir', this.runDir, ...args]);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    // Its keeper goes on without the first process, and mounts again what is taken from it.
    if (this.#outlives) await this.command('stop');
    await super[Symbol.asyncDispose]();
    for (const mount of (await mountPointsIn(this.dir.path)).reverse()) {
      await run('umount', ['-l', mount.path]);
    }
    await this.dir[Symbol.asyncDispose]();
  }
}
