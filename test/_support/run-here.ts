// SPDX-License-Identifier: Apache-2.0
import { PassThrough } from 'node:stream';
import { runProgram } from '../../src/cli/program.js';

/** The same as `lensfs`, in this process: a program's start takes longest of all. */
export async function runHere(args: readonly string[]) {
  const stdout = new PassThrough({ encoding: 'utf8' });
  const stderr = new PassThrough({ encoding: 'utf8' });
  const code = await runProgram(args, { stdout, stderr });
  return { code, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}
