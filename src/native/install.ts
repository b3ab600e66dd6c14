// SPDX-License-Identifier: Apache-2.0
// What `npm install` runs: takes the addon that the package brought along, or builds one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { codeOf, messageOf } from '../errors.js';
import { loadAddon } from './binding.js';
import { packageRoot, prebuiltDirectory } from './built-files.js';
import { NativeError } from './native-error.js';

/** What is built; the rest of binding.gyp is for tests. */
const targets = ['addon', 'keeper', 'hook', 'runtime'];

/** What a build needs, each as a command that succeeds where it is there. */
const tools: readonly (readonly [name: string, ...command: string[]])[] = [
  ['make', 'make', '--version'],
  ['g++', 'sh', '-c', '[ -n "$CXX" ] || g++ --version'],
  ['python3', 'python3', '--version'],
  ['pkg-config', 'pkg-config', '--version'],
  ['libfuse3', 'pkg-config', '--exists', 'fuse3'],
];

const advice =
  'on Debian "apt-get install g++ make python3 pkg-config libfuse3-dev", then "npm rebuild lensfs"';

/**
 * Leaves an addon that this Node.js can load, and the executables beside it.
 *
 * @throws NativeError "build_impossible" or "build_failed"
 */
export async function installNative(
  fromSource: boolean,
  tell: (text: string) => void,
): Promise<void> {
  const reason = fromSource ? 'asked to' : whyUnusable();
  if (reason === undefined) return;
  tell(`Building lensfs from source: ${reason}\n`);
  const missing = await missingTools();
  if (missing.length > 0) {
    const message = `Cannot build lensfs without ${missing.join(', ')}: ${advice}`;
    throw new NativeError('build_impossible', message);
  }
  await build();
  loadAddon();
}

/** Why a build is needed; `undefined` when what is there can be loaded. */
function whyUnusable(): string | undefined {
  try {
    loadAddon();
    return undefined;
  } catch (error) {
    const isMissing = codeOf(error) === 'addon_missing';
    return isMissing ? `the package has no "${prebuiltDirectory}"` : messageOf(error);
  }
}

async function missingTools(): Promise<string[]> {
  const found = await Promise.all(
    tools.map(async ([name, program = '', ...args]) => ((await run(program, args)) ? [] : [name])),
  );
  return found.flat();
}

async function build(): Promise<void> {
  const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  const prefix = resolve(dirname(process.execPath), '..');
  // Otherwise node-gyp downloads the headers.
  const headers = existsSync(join(prefix, 'include/node/node_api.h'))
    ? [`--nodedir=${prefix}`]
    : [];
  const options = ['--loglevel=error', ...headers];
  const steps = [
    ['configure', ...options],
    ['build', `--jobs=${availableParallelism()}`, ...options, ...targets],
  ];
  for (const step of steps) {
    if (await run(process.execPath, [nodeGyp, ...step], 'inherit')) continue;
    throw new NativeError('build_failed', `node-gyp ${step[0]} failed, see above`);
  }
}

/** Whether a command could be started and has succeeded. */
async function run(
  program: string,
  args: readonly string[],
  output: 'ignore' | 'inherit' = 'ignore',
): Promise<boolean> {
  const child = spawn(program, args, { cwd: packageRoot, stdio: ['ignore', output, output] });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return code === 0;
  } catch {
    return false;
  }
}
