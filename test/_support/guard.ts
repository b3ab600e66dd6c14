// SPDX-License-Identifier: Apache-2.0
// Cleans up also after a test run that was interrupted or killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

// In every hierarchy; the processes in them have been killed and may still be ending.
const removeCgroups = `
remove_cgroups() {
  for root in /sys/fs/cgroup /sys/fs/cgroup/*; do
    attempts=0
    while [ -d "$root$1" ] && [ $attempts -lt 100 ]; do
      find "$root$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
      attempts=$((attempts + 1))
    done
    [ ! -d "$root$1" ] || echo "still there: $root$1" >&2
  done
}`;

/**
 * A shell script that runs when this process ends, or when the guard is disposed of. It may call
 * `remove_cgroups /PATH`.
 *
 * @example
 * await using guard = new Guard('rm -rf "$1"', directory);
 */
export class Guard implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #stderr: Promise<string>;

  constructor(script: string, ...args: string[]) {
    // Its standard input ends when this process does; a session of its own keeps it from Ctrl-C.
    const all = `cat >/dev/null\n${removeCgroups}\n${script}`;
    const child = spawn('sh', ['-c', all, 'sh', ...args], {
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    this.#child = child;
    this.#exited = once(child, 'exit');
    this.#stderr = text(child.stderr);
  }

  /** @throws {Error} with what the script wrote to standard error */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
    const stderr = await this.#stderr;
    if (stderr !== '') throw new Error(`Cannot clean up: ${stderr.trimEnd()}`);
  }
}
