// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { escapeJson, printable, printableJson, printableLines } from '../../src/printable.js';

const hostile =
  'a\u001b]0;HI\u0007\u001b[2J\r\n\u007f\u009b1m\u2028\u2029\u202e\u2066\u061c\ufeffz';

describe('printable()', () => {
  test('writes what does something as what it is', () => {
    expect(printable(hostile)).toBe(
      'a\\x1b]0;HI\\x07\\x1b[2J\\x0d\\x0a\\x7f\\x9b1m\\u2028\\u2029\\u202e\\u2066\\u061c\\ufeffz',
    );
  });

  test('leaves letters, marks and symbols of all scripts', () => {
    const text = 'Жёлтый 日本語 é e\u0301 👩‍👧 العربية \\x41 "quoted"';
    expect(printable(text)).toBe(text);
  });
});

describe('printableLines()', () => {
  test('leaves ends of lines and tabs', () => {
    expect(printableLines('a\n\tb\r\u001bc')).toBe('a\n\tb\\x0d\\x1bc');
  });
});

describe('printableJson()', () => {
  test('is JSON of the same value, in which nothing does anything', () => {
    const value = { [hostile]: [hostile, 1, null] };
    for (const indent of [undefined, 2]) {
      const text = printableJson(value, indent);
      expect(JSON.parse(text)).toEqual(value);
      expect(printableLines(text)).toBe(text);
    }
    expect(escapeJson('"\u009b"\n')).toBe('"\\u009b"\n');
  });
});
