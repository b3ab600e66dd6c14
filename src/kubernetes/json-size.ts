// SPDX-License-Identifier: Apache-2.0
// How much a JSON text would become, counted in its bytes before anything is made of it. Pure.
//
// A text of three million bytes can be a million objects of fifty bytes and more; what counts is how many there are.

export interface JsonLimits {
  /** Objects and arrays within each other. */
  maxDepth: number;
  /** Objects, arrays and members of both, roughly: opening brackets and commas. */
  maxElements: number;
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const openings = [0x5b, 0x7b];
const closings = [0x5d, 0x7d];

/** What a byte outside of a string does: 1 opens, 2 closes, 3 separates, 4 begins a string. */
const kinds = new Uint8Array(256);
for (const byte of openings) kinds[byte] = 1;
for (const byte of closings) kinds[byte] = 2;
kinds[comma] = 3;
kinds[quote] = 4;

/** Why the text is too much; undefined when it is not. Whether it is JSON at all, the parser says. */
export function excessOf(text: Uint8Array, limits: JsonLimits): string | undefined {
  let depth = 0;
  let elements = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (kinds[text[at] ?? 0]) {
      case 1:
        depth += 1;
        elements += 1;
        break;
      case 2:
        depth -= 1;
        break;
      case 3:
        elements += 1;
        break;
      case 4:
        at = endOfString(text, at);
        break;
    }
    if (depth > limits.maxDepth) return `more than ${limits.maxDepth} levels`;
    if (elements > limits.maxElements) return `more than ${limits.maxElements} elements`;
  }
  return undefined;
}

/** Where the quote is that ends the string begun at `start`; the text's end when there is none. */
function endOfString(text: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1;
  return at;
}
