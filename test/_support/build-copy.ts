// SPDX-License-Identifier: Apache-2.0
// A copy of the built program, which a test may change: another build of the same.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TempDir } from './temp-dir.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const executables = ['addon.node', 'lensfs-keeper'];

export class BuildCopy {
  readonly program: string;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.program = join(root, 'dist/main.js');
  }

  static async create(dir: TempDir): Promise<BuildCopy> {
    const root = dir.at('program');
    await mkdir(join(root, 'build/Release'), { recursive: true });
    await cp(join(repository, 'dist'), join(root, 'dist'), { recursive: true });
    for (const name of executables) {
      await cp(join(repository, 'build/Release', name), join(root, 'build/Release', name));
    }
    await cp(join(repository, 'package.json'), join(root, 'package.json'));
    await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
    return new BuildCopy(root);
  }

  /** What the next worker says its version is. */
  async setVersion(version: string): Promise<void> {
    const path = join(this.#root, 'package.json');
    const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...manifest, version }));
  }

  /** Makes workers end as soon as they start; the returned function undoes it. */
  async breakWorker(): Promise<() => Promise<void>> {
    const path = join(this.#root, 'dist/worker.js');
    const text = await readFile(path, 'utf8');
    await writeFile(path, 'process.abort();\n');
    return () => writeFile(path, text);
  }
}
