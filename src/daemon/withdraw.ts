// SPDX-License-Identifier: Apache-2.0
// Takes a daemon's files away from all containers, where no keeper does it at its end.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Config } from '../config/schema.js';
import { builtFile } from '../native/built-files.js';

const run = promisify(execFile);
/** Longer than the program takes. */
const timeoutMs = 40_000;

/** Containers see the kernel's own files then; what they had is written down for the next daemon. */
export async function withdrawFromContainers({
  tree,
  run_dir: runDir,
}: Pick<Config, 'tree' | 'run_dir'>): Promise<void> {
  const args = ['withdraw', '--tree', tree, '--run-dir', runDir];
  // Containers that keep dead files are no reason to keep the rest: "lensfs doctor" names them.
  await run(builtFile('lensfs-keeper'), args, { timeout: timeoutMs }).catch(ignore);
}

function ignore(): void {}
