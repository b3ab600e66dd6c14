// SPDX-License-Identifier: Apache-2.0
// Huge pages for a container on a machine that has none to spare.
import { readFile, writeFile } from 'node:fs/promises';
import { Guard } from '../../test/_support/guard.js';

const path = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';

/** So many pages of 2 MiB more; disposing, or the end of this process, gives them back. */
export class HugePages implements AsyncDisposable {
  readonly #guard: Guard;

  private constructor(guard: Guard) {
    this.#guard = guard;
  }

  /** @throws {Error} when the kernel has no room for them */
  static async add(count: number): Promise<HugePages> {
    const before = (await readFile(path, 'utf8')).trim();
    const pages = new HugePages(new Guard('echo "$1" >"$2"', before, path));
    const wanted = Number(before) + count;
    await writeFile(path, `${wanted}`);
    if (Number(await readFile(path, 'utf8')) === wanted) return pages;
    await pages[Symbol.asyncDispose]();
    throw new Error(`No room for ${count} huge pages`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard[Symbol.asyncDispose]();
  }
}
