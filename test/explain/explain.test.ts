// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Explanation, explainFile } from '../../src/explain/explain.js';
import { CapturedHost, capturedContainers } from '../_support/captured-hosts.js';
import { explainAll } from '../_support/explained.js';
import { openNativeEngine } from '../_support/native-engine.js';

describe('explainFile()', () => {
  for (const [name, containers] of capturedContainers) {
    test(`has a formula for every number of every file on ${name}`, async () => {
      await using host = await CapturedHost.unpack(name);
      await using engine = openNativeEngine(host.tree);
      for (const { pid } of containers) {
        for (const { file, numbers } of explainAll(engine, { pid })) {
          expect(numbers.filter(({ formula }) => formula === '')).toEqual([]);
          const names = numbers.map((number) => number.name);
          expect(new Set(names).size, file).toBe(names.length);
        }
      }
    });

    test(`shows raw values that are in the kernel files on ${name}`, async () => {
      await using host = await CapturedHost.unpack(name);
      await using engine = openNativeEngine(host.tree);
      const explanations = containers.flatMap(({ pid }) => explainAll(engine, { pid }));
      const own = explanations.filter(({ isHosts }) => !isHosts);
      const sources = own.flatMap(({ numbers }) => numbers.flatMap((number) => number.sources));
      for (const { path, key, value } of sources) {
        const text = readFileSync(path, 'utf8');
        expect(text, path).toContain(value);
        expect(text, path).toContain(key);
      }
      expect(sources.length > 0).toBe(own.length > 0);
    });

    test(`takes MemTotal from the limit that it names on ${name}`, async () => {
      await using host = await CapturedHost.unpack(name);
      await using engine = openNativeEngine(host.tree);
      const limited = containers
        .map(({ pid }) => explainFile('proc/meminfo', engine.explain('proc/meminfo', { pid })))
        .filter(({ isHosts }) => !isHosts)
        .map(totalOf)
        .filter(({ value, host: ofHost }) => Number(value) < Number(ofHost));
      for (const { decidedBy, value } of limited) {
        expect(Math.floor(readLimit(decidedBy ?? '') / 1024)).toBe(Number(value));
      }
    });
  }
});

function totalOf({ numbers }: Explanation) {
  const found = numbers.find(({ name }) => name === 'MemTotal');
  if (found === undefined) throw new Error('no MemTotal');
  return found;
}

function readLimit(directory: string): number {
  const file = readdirSync(directory).find((name) =>
    ['memory.max', 'memory.limit_in_bytes'].includes(name),
  );
  return Number(readFileSync(`${directory}/${file}`, 'utf8'));
}
