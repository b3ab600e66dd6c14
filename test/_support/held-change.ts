// SPDX-License-Identifier: Apache-2.0
// A change of the whole machine, which a process of its own takes back.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** In force until this is disposed of or the process that has it ends, also when that is killed. */
export class HeldChange implements AsyncDisposable {
  readonly #holder;

  private constructor(script: string) {
    this.#holder = spawn('sh', ['-ec', `trap '' INT TERM\n${script}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  }

  /** `script` makes the change, prints something, reads its input to the end and takes the change back. */
  static async make(script: string): Promise<HeldChange> {
    const change = new HeldChange(script);
    await once(change.#holder.stdout, 'data');
    return change;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, 'exit');
    this.#holder.stdin.end();
    await ended;
  }
}
