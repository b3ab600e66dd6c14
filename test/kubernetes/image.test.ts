// SPDX-License-Identifier: Apache-2.0
// The Dockerfile: its syntax, and that what it names is there.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { describe, expect, test as unitTest } from 'vitest';
import { built, testWith } from '../_support/requirements.js';

const path = 'deploy/image/Dockerfile';
const dockerfile = readFileSync(path, 'utf8');
const addon = 'build/Release/addon.node';
const test = testWith(built(addon));

/** Lines with their continuations joined. */
const instructions = dockerfile
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

describe(path, () => {
  unitTest('is well-formed', () => {
    expect(validate(dockerfile)).toEqual([]);
  });

  unitTest('copies files that are in the repository', () => {
    const copies = instructions.filter((line) => /^COPY (?!--from)/.test(line));
    expect(copies.length).toBeGreaterThan(2);
    for (const line of copies) {
      for (const source of line.split(/\s+/).slice(1, -1))
        expect(existsSync(source), source).toBe(true);
    }
  });

  unitTest('pins its base, by digest, to a release that package.json allows', () => {
    const [, major, minor] =
      /^ARG NODE_IMAGE=node:(\d+)\.(\d+)\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/m.exec(
        dockerfile,
      ) ?? [];
    expect(Number(major)).toBe(20);
    expect(Number(minor)).toBeGreaterThanOrEqual(17);
    const bases = instructions.filter((line) => line.startsWith('FROM'));
    expect(bases.map((line) => line.split(' ')[1])).toEqual(Array(2).fill('$' + '{NODE_IMAGE}'));
  });

  unitTest('ends as an unprivileged user', () => {
    expect(instructions.findLast((line) => line.startsWith('USER'))).toBe('USER 65532:65532');
  });

  test('needs no library of its base for the addon but the C library', () => {
    const linked = execFileSync('ldd', [addon], { encoding: 'utf8' });
    const names = [...linked.matchAll(/^\s+(lib[\w+.-]+) =>/gm)].map(([, name = '']) => name);
    expect(names).toEqual(['libc.so.6']);
  });
});
