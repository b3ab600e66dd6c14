// SPDX-License-Identifier: Apache-2.0
// What a call of lensfs loads before it does anything: most of the time that it takes.
import { writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { lensfs, program } from '../_support/lensfs.js';
import { built, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(built(program));

/** Prints to standard output the packages that the process has loaded, when it ends. */
const probe = `process.on('exit', () => {
  const files = Object.keys(require.cache).map((file) => file.split('/node_modules/').at(-1));
  const packages = files.map((file) => /^(@[^/]+\\/)?[^/]+/.exec(file)?.[0]);
  console.log('loaded', [...new Set(packages.filter(Boolean))].sort().join());
});`;

async function packagesOf(args: readonly string[]): Promise<string> {
  await using dir = await TempDir.create();
  await writeFile(dir.at('probe.cjs'), probe);
  const env = { NODE_OPTIONS: `--require ${dir.at('probe.cjs')}` };
  const { stdout } = await lensfs([...args, '--run-dir', dir.path], env);
  return /^loaded (.*)$/m.exec(stdout)?.[1] ?? stdout;
}

describe('lensfs loads', () => {
  for (const args of [['status'], ['views'], ['stop'], ['show', '/proc/meminfo']]) {
    test(`of libraries only what checks the configuration, for "${args.join(' ')}"`, async () => {
      expect(await packagesOf(args)).toBe('zod');
    });
  }

  test('YAML for a configuration file', async () => {
    await using dir = await TempDir.create();
    await writeFile(dir.at('config.yaml'), 'swap: off\n');
    const args = ['show', '/proc/meminfo', '--config', dir.at('config.yaml')];
    expect(await packagesOf(args)).toBe('yaml,zod');
  });
});
