// SPDX-License-Identifier: Apache-2.0
// Python for system calls that Node.js has no function for, and to run in containers.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TestCgroup } from './cgroup.js';
import { endsWithThis } from './ends-with-this.js';
import { cleanEnvironment } from './lensfs.js';

export interface PythonOptions {
  /** Become `sys.argv[1:]`, which scripts know as `args`. */
  args?: readonly string[];
  /** Runs it in this cgroup, as the first process of a pid namespace. */
  cgroup?: TestCgroup;
  /** A command that runs Python: its arguments are Python's command line. */
  prefix?: readonly string[];
}

// reply(value): one value for the test. step(value): the same, then waits until the test goes on.
const prelude = `
import ctypes, errno, fcntl, json, mmap, os, resource, select, signal, socket, stat, sys, time
args = sys.argv[1:]
def reply(value):
    print(json.dumps(value), flush=True)
def step(value=None):
    reply(value)
    return json.loads(sys.stdin.readline())
def error_of(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None
libc = ctypes.CDLL(None, use_errno=True)
`;

/**
 * A running script whose replies are JSON lines; disposing kills it.
 *
 * @example
 * await using script = new PythonProcess('step(os.getpid()); reply("done")');
 * const pid = await script.next<number>();
 * script.go();
 */
export class PythonProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly #replies: AsyncIterator<string>;
  readonly #stderr: Promise<string>;

  constructor(script: string, { args = [], cgroup, prefix = [] }: PythonOptions = {}) {
    const line = [
      ...endsWithThis('KILL'),
      ...prefix,
      'python3',
      '-c',
      `${prelude}\n${unindent(script)}`,
      ...args,
    ];
    const [command = '', ...rest] = line;
    const [first, others] =
      cgroup === undefined ? [command, rest] : cgroup.contain(command, ...rest);
    const child = spawn(first, others, { env: cleanEnvironment(), stdio: 'pipe' });
    this.child = child;
    this.exited = once(child, 'exit').then(([code]) => code as number | null);
    this.#replies = createInterface(child.stdout)[Symbol.asyncIterator]();
    this.#stderr = text(child.stderr);
    child.stdin.on('error', () => {}); // it may end before it is told to go on
  }

  /** @throws {Error} with what the script wrote to standard error, when it ends instead of replying */
  async next<T = unknown>(): Promise<T> {
    const { done, value } = await this.#replies.next();
    if (done === true) throw new Error(`No reply: ${await this.#stderr}`);
    return JSON.parse(value) as T;
  }

  /** Lets the script go on after `step`. */
  go(value: unknown = null): void {
    this.child.stdin?.write(`${JSON.stringify(value)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

/** Runs a script to its end and gives its only reply. */
export async function python<T = unknown>(script: string, options?: PythonOptions): Promise<T> {
  await using running = new PythonProcess(script, options);
  const reply = await running.next<T>();
  const code = await running.exited;
  if (code !== 0) throw new Error(`The script ended with ${code}`);
  return reply;
}

function unindent(script: string): string {
  const margin = /^\n?( *)/.exec(script)?.[1]?.length ?? 0;
  return script.replace(new RegExp(`^ {${margin}}`, 'gm'), '');
}
