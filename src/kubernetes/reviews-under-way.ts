// SPDX-License-Identifier: Apache-2.0
// How many reviews may be under way: a place for each, by size, so that large ones never keep small ones out.

/** What a body of no more than this is called: small. A pod with a hundred containers is. */
export const smallBodyBytes = 64 * 1024;

export interface ReviewLimits {
  small: number;
  large: number;
}

/** 16 MiB of small bodies and 12 MiB of large ones, at the most. */
export const defaultReviewLimits: ReviewLimits = { small: 256, large: 4 };

/** Counts the places that are taken. */
export class ReviewsUnderWay {
  readonly #limits: ReviewLimits;
  readonly #taken: ReviewLimits = { small: 0, large: 0 };

  constructor(limits: ReviewLimits = defaultReviewLimits) {
    this.#limits = limits;
  }

  /** Takes a place for a body of so many bytes, unknown ones being large; undefined when there is none left. */
  take(bytes: number | undefined): (() => void) | undefined {
    const size = bytes !== undefined && bytes <= smallBodyBytes ? 'small' : 'large';
    if (this.#taken[size] >= this.#limits[size]) return undefined;
    this.#taken[size] += 1;
    let isTaken = true;
    return () => {
      if (isTaken) this.#taken[size] -= 1;
      isTaken = false;
    };
  }
}
