// SPDX-License-Identifier: Apache-2.0
// scripts/build-ts, in a tree of its own.
import { cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { run } from '../_support/lensfs.js';
import { testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith();
const copied = [
  'scripts/build-ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'package.json',
  'package-lock.json',
];

/** A checkout with two sources. */
async function makeCheckout(): Promise<TempDir> {
  const dir = await TempDir.create();
  await mkdir(dir.at('src'));
  for (const file of copied) await cp(file, dir.at(file));
  await symlink(`${process.cwd()}/node_modules`, dir.at('node_modules'));
  await writeFile(dir.at('src/main.ts'), 'export const a = 1;\n');
  await writeFile(dir.at('src/old.ts'), 'export const b = 1;\n');
  return dir;
}

const build = async (dir: TempDir) => (await run(dir.at('scripts/build-ts'), [])).code;
const built = async (dir: TempDir) => (await readdir(dir.at('dist'))).sort();
const filesOf = (name: string) => [`${name}.d.ts`, `${name}.js`, `${name}.js.map`];

test('a build has what the sources make and nothing else, and one that fails leaves the last', async () => {
  await using dir = await makeCheckout();
  // Two at once, as nothing keeps them apart.
  expect(await Promise.all([build(dir), build(dir)])).toEqual([0, 0]);
  expect(await built(dir)).toEqual([...filesOf('main'), ...filesOf('old')]);

  const { ino } = await stat(dir.at('dist'));
  expect(await build(dir)).toBe(0);
  expect((await stat(dir.at('dist'))).ino).toBe(ino);

  await rm(dir.at('src/old.ts'));
  await writeFile(dir.at('src/main.ts'), 'export const a: string = 1;\n');
  expect(await build(dir)).not.toBe(0);
  expect(await built(dir)).toEqual([...filesOf('main'), ...filesOf('old')]);
  expect(await readFile(dir.at('dist/main.js'), 'utf8')).toContain('a = 1;');

  await writeFile(dir.at('src/main.ts'), 'export const a = 2;\n');
  expect(await build(dir)).toBe(0);
  expect(await built(dir)).toEqual(filesOf('main'));
  expect(await readFile(dir.at('dist/main.js'), 'utf8')).toContain('a = 2;');
  const map = JSON.parse(await readFile(dir.at('dist/main.js.map'), 'utf8'));
  expect(map).toMatchObject({ sources: ['../src/main.ts'] });
  const entries = (await readdir(dir.path)).filter((name) => name.startsWith('dist'));
  expect(entries).toEqual(['dist']);
}, 120_000);
