// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestFunction, test } from 'vitest';
import type { Requirement } from './requirement.js';

export const root: Requirement = {
  met: () => process.getuid?.() === 0,
  missing: 'needs root',
};

export const fuseDevice: Requirement = {
  met: () => accessible('/dev/fuse', constants.R_OK | constants.W_OK),
  missing: 'needs a readable and writable /dev/fuse (modprobe fuse)',
};

export const twoCpus: Requirement = {
  met: () => availableParallelism() >= 2,
  missing: 'needs two CPUs',
};

/** A file that a build makes, such as `build/Release/addon.node`. */
export function built(path: string): Requirement {
  return { met: () => accessible(path, constants.R_OK), missing: `needs ${path}: npm run build` };
}

/** An executable on the PATH. */
export function command(name: string): Requirement {
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  return {
    met: () => directories.some((directory) => accessible(join(directory, name), constants.X_OK)),
    missing: `needs the command "${name}"`,
  };
}

/**
 * `test`, or a test that is skipped with the reason when a requirement is not met.
 *
 * @example
 * const it = testWith(root, fuseDevice);
 * it('mounts', async () => { ... });
 */
export function testWith(
  ...requirements: Requirement[]
): (name: string, body: TestFunction, timeoutMs?: number) => void {
  const unmet = requirements.find((requirement) => !requirement.met());
  if (unmet === undefined) return (name, body, timeoutMs) => test(name, body, timeoutMs);
  return (name) => test(name, (context) => context.skip(unmet.missing));
}

function accessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
