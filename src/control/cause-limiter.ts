// SPDX-License-Identifier: Apache-2.0
// One line per cause and minute: who asks again and again fills no log.

const quietMs = 60_000;
/** Of causes; more of them than a program has. */
const maxCauses = 100;

/** Says whether a cause is to be logged now, and how often it was not since it was logged last. */
export class CauseLimiter {
  readonly #causes = new Map<string, { loggedMs: number; skipped: number }>();

  /** The number of times that were skipped, or null when this one is to be. `nowMs` is of any clock that does not step. */
  admit(cause: string, nowMs: number): number | null {
    const known = this.#causes.get(cause);
    if (known !== undefined && nowMs - known.loggedMs < quietMs) {
      known.skipped += 1;
      return null;
    }
    if (this.#causes.size >= maxCauses) this.#causes.clear();
    this.#causes.set(cause, { loggedMs: nowMs, skipped: 0 });
    return known?.skipped ?? 0;
  }
}
