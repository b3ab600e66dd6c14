// SPDX-License-Identifier: Apache-2.0
// What a fuzzer has found stays found: every file in test/fixtures/fuzz/TARGET runs through its target.
// So do all texts of the captured hosts, as every target must bear every text.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { built, testWith } from '../_support/requirements.js';

const program = fileURLToPath(new URL('../../build/Release/fuzz', import.meta.url));
const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const targets = [
  'proc',
  'cgroup',
  'cpu_list',
  'pid',
  'mountinfo',
  'view_name',
  'cgroup_paths',
  'config_edit',
  'journal',
];

const test = testWith(built(program));

function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).map((name) => join(directory, name));
}

describe('fuzz', () => {
  for (const target of targets) {
    test(`${target} bears what was found, and the fixtures`, () => {
      const files = [
        ...filesIn(join(fixtures, 'fuzz', target)),
        ...filesIn(join(fixtures, 'cpuinfo')),
        ...filesIn(join(fixtures, 'hosts')),
      ];
      const output = execFileSync(program, [target, ...files], { encoding: 'utf8' });
      expect(output).toBe(`${files.length} files\n`);
    });
  }

  test('fails for a target that it does not know', () => {
    expect(() => execFileSync(program, ['nothing'], { stdio: 'pipe' })).toThrow(
      expect.objectContaining({ status: 2 }) as Error,
    );
  });
});
