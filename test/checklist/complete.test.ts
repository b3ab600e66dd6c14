// SPDX-License-Identifier: Apache-2.0
// Each of the 40 points of the checklist is one test, and its name begins with the number.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const directory = new URL('.', import.meta.url);

test('all 40 points have one test each', () => {
  const numbers = readdirSync(directory)
    .flatMap((name) => [
      ...readFileSync(new URL(name, directory), 'utf8').matchAll(/^ {2}test\(['"]\((\d+)\) /gm),
    ])
    .map(([, number]) => Number(number));
  const all = Array.from({ length: 40 }, (_, index) => index + 1);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(all);
});
