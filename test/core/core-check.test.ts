// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { built, testWith } from '../_support/requirements.js';

const program = fileURLToPath(new URL('../../build/Release/core_check', import.meta.url));
const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));

const it = testWith(built(program));

function pathsIn(directory: string): string[] {
  return readdirSync(fixtures + directory).map((name) => `${fixtures}${directory}/${name}`);
}

describe('core_check', () => {
  it('runs every parser over every prefix of the fixtures', () => {
    const files = [
      ...pathsIn('cpuinfo'),
      ...pathsIn('hosts').filter((path) => path.endsWith('.tree')),
    ];
    const output = execFileSync(program, files, { encoding: 'utf8' });
    expect(output).toMatch(/^\d+ passed, 0 failed\n$/);
    expect(Number.parseInt(output, 10)).toBeGreaterThan(files.length);
  }, 120_000);

  it('fails for a file that it cannot read', () => {
    expect(() => execFileSync(program, ['/nowhere'], { stdio: 'pipe' })).toThrow(
      expect.objectContaining({ status: 2 }) as Error,
    );
  });
});
