// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { core } from '../../_support/testing-addon.js';

const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

const texts: [text: string | Buffer, printed: string][] = [
  ['', ''],
  ['/docker/0a1b — größe ✓ 容器', '/docker/0a1b — größe ✓ 容器'],
  ['a\\x2db', 'a\\x2db'],
  ['\u001b]0;pwn\u0007\nforged', '\\x1b]0;pwn\\x07\\x0aforged'],
  ['\u007f\u0085\u009b31m', '\\x7f\\x85\\x9b31m'],
  ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['\u202egnp.exe\u2066\u2069\u200f\u061c', '\\u202egnp.exe\\u2066\\u2069\\u200f\\u061c'],
  [Buffer.from('ff9b41', 'hex'), '\\xff\\x9bA'],
  [Buffer.from('eda080c0af', 'hex'), '\\xed\\xa0\\x80\\xc0\\xaf'],
  [Buffer.from('f0', 'hex'), '\\xf0'],
];

for (const [text, printed] of texts) {
  test(`Printable() of ${JSON.stringify(printed)}`, () => {
    expect(core.printable(text)).toBe(printed);
  });
}

test('Printable() gives nothing that a terminal or a log acts on, and no more than fits a line', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6000 }), (bytes) => {
      const printed = core.printable(Buffer.from(bytes));
      return !unsafe.test(printed) && Buffer.byteLength(printed) <= 4096 + 9;
    }),
  );
});
