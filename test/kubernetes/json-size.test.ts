// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { excessOf } from '../../src/kubernetes/json-size.js';

const limits = { maxDepth: 3, maxElements: 10 };
const excess = (text: string) => excessOf(Buffer.from(text), limits);

/** How deep a value is, and how many opening brackets and commas its text has. */
function measure(value: unknown): { depth: number; elements: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, elements: 0 };
  const inner = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    elements:
      1 + Math.max(0, inner.length - 1) + inner.reduce((sum, { elements }) => sum + elements, 0),
  };
}

describe('excessOf()', () => {
  test('finds levels and elements, at the first one too many', () => {
    expect(excess('[[[]]]')).toBeUndefined();
    expect(excess('[{"a":[{}]}]')).toBe('more than 3 levels');
    expect(excess(`[${'0,'.repeat(9)}0]`)).toBeUndefined();
    expect(excess(`[${'0,'.repeat(10)}0]`)).toBe('more than 10 elements');
    expect(excess('['.repeat(1e6))).toBe('more than 3 levels');
  });

  test('does not look into strings', () => {
    expect(
      excess(JSON.stringify(['[[[[[', '\\"[[[[,', ',,,,,,,,,,,,', '\\\\', 'Ж[[[['])),
    ).toBeUndefined();
  });

  test('ends at the end of text that is no JSON', () => {
    for (const text of ['', '"', '"\\', '[', ']]]]', '"a\\"[[[[', '\0']) {
      expect(excess(text)).toBeUndefined();
    }
  });

  test('counts as a parser would', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const { depth, elements } = measure(JSON.parse(text));
        const at = (maxDepth: number, maxElements: number) =>
          excessOf(Buffer.from(text), { maxDepth, maxElements });
        // A key that is there twice is one member of what is parsed.
        if (JSON.stringify(JSON.parse(text)).length !== text.replace(/\s/g, '').length) return;
        expect(at(depth, elements)).toBeUndefined();
        if (depth > 0) expect(at(depth - 1, elements)).toBeDefined();
        if (elements > 0) expect(at(depth, elements - 1)).toBeDefined();
      }),
    );
  });
});
