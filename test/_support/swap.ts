// SPDX-License-Identifier: Apache-2.0
// Swap for a test on a machine that has none.
import { readFileSync, statfsSync } from 'node:fs';
import { mkdtemp, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Guard } from './guard.js';
import { run } from './lensfs.js';
import type { Requirement } from './requirement.js';
import { mebibyte } from './units.js';

// On a disk: there is no swapping to a file in tmpfs.
const diskDirectory = '/var/tmp';
const prefix = 'lensfs-swap-';
const fileSystemsWithSwap = [0xef53, 0x58465342]; // ext4, xfs

/** Swap, or a file system that can have a swap file. */
export const swapSpace: Requirement = {
  met: () => hasSwap() || fileSystemsWithSwap.includes(statfsSync(diskDirectory).type),
  missing: `needs swap, or ext4 or xfs at ${diskDirectory}`,
};

// Without that of another run of the tests, which may end before this one.
function hasSwap(): boolean {
  const devices = readFileSync('/proc/swaps', 'utf8').trimEnd().split('\n').slice(1);
  return devices.some((line) => !line.startsWith(join(diskDirectory, prefix)));
}

/** A swap file in use; disposing takes it out of use and removes it. */
export class Swap implements AsyncDisposable {
  readonly #guard: Guard | null;

  private constructor(guard: Guard | null) {
    this.#guard = guard;
  }

  /**
   * Adds a swap file, unless the machine has swap.
   *
   * @throws {Error} with what swapon said
   */
  static async ensure(sizeBytes: number): Promise<Swap> {
    if (hasSwap()) return new Swap(null);
    const dir = await mkdtemp(join(diskDirectory, prefix));
    const path = join(dir, 'swap');
    const swap = new Swap(new Guard('swapoff "$1" 2>/dev/null; rm -rf "$2"', path, dir));
    try {
      await writeZeros(path, sizeBytes);
      for (const command of ['mkswap', 'swapon']) {
        const { code, stderr } = await run(command, [path]);
        if (code !== 0) throw new Error(stderr.trimEnd());
      }
      return swap;
    } catch (error) {
      await swap[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard?.[Symbol.asyncDispose]();
  }
}

/** Without holes: the kernel refuses a file that has some. */
async function writeZeros(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    const zeros = Buffer.alloc(mebibyte);
    for (let at = 0; at < sizeBytes; at += zeros.length)
      await file.write(zeros, 0, zeros.length, at);
    await file.sync();
  } finally {
    await file.close();
  }
}
