// SPDX-License-Identifier: Apache-2.0
// What is mounted where.
import { readFile } from 'node:fs/promises';

/** Types of what is mounted at or below a path. */
export async function mountsIn(path: string): Promise<string[]> {
  return (await mountPointsIn(path)).map(({ type }) => type);
}

/** The same with the places, in the order of mounting. */
export async function mountPointsIn(path: string): Promise<{ path: string; type: string }[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).trimEnd().split('\n');
  const mounts = lines.map((line) => ({
    path: line.split(' ')[4] ?? '',
    type: line.split(' - ')[1]?.split(' ')[0] ?? '',
  }));
  return mounts.filter((mount) => `${mount.path}/`.startsWith(`${path}/`));
}
