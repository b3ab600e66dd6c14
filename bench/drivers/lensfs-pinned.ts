// SPDX-License-Identifier: Apache-2.0
// The files of one container by its name: in the page cache, and on the shared connection where they
// are too large for that.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { RunningDaemon } from '../../test/_support/lensfs.js';
import type { FindFile, StartDriver } from './driver.js';
import { startLensfs } from './lensfs.js';

const firstNumber = '0000';

export const startLensfsPinned: StartDriver = (options) =>
  startLensfs('lensfs-pinned', findPinned, options, ['--set', 'transport=classic']);

async function findPinned(daemon: RunningDaemon, cgroupPath: string): Promise<FindFile> {
  const first = await pinnedDirectory(daemon, cgroupPath.replace('{}', firstNumber));
  const shared = join(daemon.runDir, 'mnt', 'shared', 'views', basename(first));
  // A thousand containers differ in their number, and so do their directories.
  const generalize = cgroupPath.endsWith('{}') ? withoutNumber : (path: string) => path;
  const directories = { pinned: generalize(first), shared: generalize(shared) };
  return (file) => join(directories[existsSync(join(first, file)) ? 'pinned' : 'shared'], file);
}

function withoutNumber(directory: string): string {
  if (directory.endsWith(firstNumber)) return `${directory.slice(0, -firstNumber.length)}{}`;
  throw new Error(`"${directory}" does not end in ${firstNumber}`);
}

async function pinnedDirectory(daemon: RunningDaemon, cgroupPath: string): Promise<string> {
  const { code, stdout, stderr } = await daemon.command('show', '--view', '--cgroup', cgroupPath);
  if (code !== 0) throw new Error(`lensfs show --view ended with ${code}: ${stderr}`);
  return stdout.trimEnd();
}
