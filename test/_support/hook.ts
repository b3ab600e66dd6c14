// SPDX-License-Identifier: Apache-2.0
// The two programs that container runtimes run.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, type Finished } from './lensfs.js';

export const hookProgram = fileURLToPath(
  new URL('../../build/Release/lensfs-hook', import.meta.url),
);
export const runtimeProgram = fileURLToPath(
  new URL('../../build/Release/lensfs-runtime', import.meta.url),
);

/** Runs lensfs-hook as a runtime does: with the container's state on its standard input. */
export async function runHook(args: readonly string[], state: string): Promise<Finished> {
  const child = spawn(hookProgram, args, { env: cleanEnvironment(), timeout: 20_000 });
  const ended = once(child, 'close');
  child.stdin.on('error', () => {}); // it may end without having read all
  child.stdin.end(state);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code, signal] = await ended;
  return { code, signal, stdout, stderr };
}
