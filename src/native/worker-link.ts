// SPDX-License-Identifier: Apache-2.0
// A worker's end of the link to its keeper. What concerns the data plane is done natively.
import { EventEmitter } from 'node:events';
import { type AddonLink, loadAddon, type NativeEngine } from './binding.js';
import { callNative } from './native-error.js';

export interface LinkEvents {
  /** It is this worker's turn; `count` workers have been told so, this one included. */
  serve: [count: number];
  /** The data plane has ended: exit. */
  released: [];
  /** The keeper is dead. */
  orphaned: [];
  /** Another keeper has taken its place. */
  adopted: [];
}

/** What a worker tells its keeper. */
export type LinkMessage = 'serving' | 'started' | 'stopWanted' | 'lost' | 'logLevel' | 'problems';

/** Keeps the process alive until it is disposed of. */
export class WorkerLink extends EventEmitter<LinkEvents> implements Disposable {
  readonly #link: AddonLink;
  #isOrphaned = false;

  /** Says that this worker has booted; `runDir` is where another keeper looks for it if this one dies. */
  constructor(runDir: string) {
    super();
    const addon = loadAddon();
    const onEvent = (event: string, value: number) => {
      if (event === 'orphaned' || event === 'adopted') this.#isOrphaned = event === 'orphaned';
      this.emit(event as 'serve', value);
    };
    this.#link = callNative(() => new addon.WorkerLink(runDir, onEvent));
  }

  get isOrphaned(): boolean {
    return this.#isOrphaned;
  }

  attach(engine: NativeEngine): void {
    engine.attachTo(this.#link);
  }

  send(message: LinkMessage, value = 0): void {
    callNative(() => this.#link.send(message, value));
  }

  [Symbol.dispose](): void {
    this.#link.close();
  }
}
