// SPDX-License-Identifier: Apache-2.0
import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { lensfs, program } from '../_support/lensfs.js';
import { built, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(built(program));

describe('lensfs config init', () => {
  test('makes the directory that the file goes to', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('etc/lensfs/config.yaml');
    expect(await lensfs(['config', 'init', file])).toMatchObject({
      code: 0,
      stdout: `Wrote ${file}\n`,
      stderr: '',
    });
    expect((await stat(dir.at('etc/lensfs'))).mode & 0o777).toBe(0o755);
    expect(await readFile(file, 'utf8')).toBe((await lensfs(['config', 'init', '-'])).stdout);
  });

  test('says why the directory cannot be made', async () => {
    await using dir = await TempDir.create();
    await writeFile(dir.at('file'), '');
    const file = dir.at('file/lensfs/config.yaml');
    const { code, stdout, stderr } = await lensfs(['config', 'init', file]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^lensfs: Cannot write ".*\/file\/lensfs\/config\.yaml": ENOTDIR.*\n$/);
  });

  test('refuses --json, as it prints none', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('config.yaml');
    expect(await lensfs(['config', 'init', '--json', file])).toEqual({
      code: 2,
      signal: null,
      stdout: '',
      stderr:
        'lensfs: config: --json is for check, show and schema, not for init\nTry "lensfs --help"\n',
    });
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
