// SPDX-License-Identifier: Apache-2.0
// What is measured while containers come and go, and whether it stays what it was. Pure.
import { spreadOf } from '../statistics.js';

/** One second of a run. */
export interface Sample {
  /** Since the beginning of the run. */
  readonly seconds: number;
  /** Of the worker. */
  readonly rssMib: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly views: number;
}

export type Line = Exclude<keyof Sample, 'seconds'>;

/** What may be more at the end than in the middle of a run: that much, or a tenth. */
export const slack: Readonly<Record<Line, number>> = {
  rssMib: 12,
  descriptors: 60,
  threads: 2,
  views: 80,
};

export const lines = Object.keys(slack) as Line[];

export interface Trend {
  readonly line: Line;
  /** Medians of the second and of the last third of the run. */
  readonly middle: number;
  readonly end: number;
  readonly isFlat: boolean;
}

/** Whether each line is as high in the last third of a run as in the second; the first is for warming up. */
export function trends(samples: readonly Sample[]): Trend[] {
  const third = Math.floor(samples.length / 3);
  const middleSamples = samples.slice(third, 2 * third);
  const endSamples = samples.slice(2 * third);
  return lines.map((line) => {
    const medianOf = (part: readonly Sample[]) =>
      spreadOf(part.map((sample) => sample[line]))?.median ?? Number.NaN;
    const [middle, end] = [medianOf(middleSamples), medianOf(endSamples)];
    return { line, middle, end, isFlat: end <= middle + Math.max(slack[line], middle / 10) };
  });
}
