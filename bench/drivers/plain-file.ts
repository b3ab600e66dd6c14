// SPDX-License-Identifier: Apache-2.0
// Copies of the host's files in memory that nobody keeps up to date: what opening, reading and
// closing costs by itself. No file system can be faster.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../test/_support/lensfs.js';
import { TempDir } from '../../test/_support/temp-dir.js';
import type { StartDriver } from './driver.js';

const files = ['proc/meminfo', 'proc/stat'];

export const startPlainFile: StartDriver = async () => {
  const dir = await TempDir.create();
  const tree = dir.at('tree');
  const stop = async () => {
    await run('umount', ['-l', tree]);
    await dir[Symbol.asyncDispose]();
  };
  try {
    await mkdir(tree);
    const { code, stderr } = await run('mount', ['-t', 'tmpfs', 'lensfs-bench', tree]);
    if (code !== 0) throw new Error(`Cannot mount a tmpfs: ${stderr}`);
    for (const file of files) {
      await mkdir(dirname(join(tree, file)), { recursive: true });
      await writeFile(join(tree, file), await readFile(`/${file}`));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: 'plain-file',
    filesFor: async () => (file) => join(tree, file),
    cpuUsec: async () => undefined,
    memory: async () => undefined,
    ending: () => undefined,
    [Symbol.asyncDispose]: stop,
  };
};
