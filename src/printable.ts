// SPDX-License-Identifier: Apache-2.0
// The one way by which a text that somebody else chose gets into a line for people: a name of a container, pod, cgroup
// or process can be any bytes, and a terminal, a log or a shell acts on some of them. Pure.

// C0, DEL and C1 make a terminal do things, or a line two; U+2028 and U+2029 are ends of a line to some programs; the
// others turn the direction of what follows, so that a line reads as another one.
const active =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** The text with each character that does something written as what it is, such as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(active, escaped);
}

/** The same for a text of several lines, whose ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replace(active, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
}

/** JSON of a value in which no character does anything either: those that JSON leaves as they are, it can write too. */
export function printableJson(value: unknown, indent?: number): string {
  return escapeJson(JSON.stringify(value, undefined, indent) ?? 'null');
}

/** The same of JSON that is there already, a line end after it included. */
export function escapeJson(text: string): string {
  return text.replace(active, (character) =>
    character === '\n' ? character : `\\u${hex(character.charCodeAt(0), 4)}`,
  );
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
