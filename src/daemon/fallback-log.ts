// SPDX-License-Identifier: Apache-2.0
import { type Logger, logMessages } from '../logger.js';
import type { Fallback } from '../native/binding.js';

/** How often the counters are looked at. */
const periodMs = 1_000;
/** How long a cause that was logged stays quiet. */
const quietMs = 60_000;

/** Logs fallbacks as the data plane counts them, each cause at most once a minute. */
export class FallbackLog implements Disposable {
  readonly #logger: Logger;
  readonly #read: () => readonly Fallback[];
  readonly #onFallback: (fallback: Record<string, unknown>) => void;
  readonly #timer: NodeJS.Timeout;
  /** By cause: the sum over all files when it was logged last, and when that was. */
  readonly #logged = new Map<string, { count: number; atMs: number }>();

  /** `onFallback` is told what is logged. */
  constructor(
    logger: Logger,
    read: () => readonly Fallback[],
    onFallback: (fallback: Record<string, unknown>) => void = () => {},
  ) {
    this.#logger = logger;
    this.#onFallback = onFallback;
    this.#read = read;
    this.#timer = setInterval(() => this.check(performance.now()), periodMs).unref();
  }

  /** One look at the counters; `nowMs` is of any clock that does not step. */
  check(nowMs: number): void {
    const causes = new Map<string, Fallback[]>();
    for (const row of this.#read()) causes.set(row.cause, [...(causes.get(row.cause) ?? []), row]);
    for (const [cause, rows] of causes) {
      const count = rows.reduce((sum, row) => sum + row.count, 0);
      const last = this.#logged.get(cause);
      if (last !== undefined && (last.count === count || nowMs - last.atMs < quietMs)) continue;
      this.#logged.set(cause, { count, atMs: nowMs });
      const files = rows.map(({ file }) => file);
      const lastError = rows[0]?.lastError;
      const fallback = { cause, files, count: count - (last?.count ?? 0), lastError };
      this.#logger.warn(fallback, logMessages.fallback);
      this.#onFallback(fallback);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
