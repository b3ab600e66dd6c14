// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { TestCgroup } from '../test/_support/cgroup.js';

/** The most that cgroups v2 and v1 have. */
const highest = { 'cpu.weight': '10000', 'cpu.shares': '262144' };

/**
 * Lets a cgroup come before everything else on a busy machine. Daemons and clients alike get this:
 * against each other they are equal.
 */
export async function prefer(cgroup: TestCgroup): Promise<void> {
  for (const [name, value] of Object.entries(highest)) {
    const file = cgroup.file('cpu', name);
    if (existsSync(file)) await writeFile(file, value);
  }
}
