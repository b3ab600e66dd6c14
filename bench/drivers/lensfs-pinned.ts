// SPDX-License-Identifier: Apache-2.0
// The directory of one container, whose files live in the page cache.
import { join } from 'node:path';
import type { RunningDaemon } from '../../test/_support/lensfs.js';
import type { FindFile, StartDriver } from './driver.js';
import { startLensfs } from './lensfs.js';

const firstNumber = '0000';

export const startLensfsPinned: StartDriver = (options) =>
  startLensfs('lensfs-pinned', findPinned, options);

async function findPinned(daemon: RunningDaemon, cgroupPath: string): Promise<FindFile> {
  if (!cgroupPath.endsWith('{}')) {
    const directory = await pinnedDirectory(daemon, cgroupPath);
    return (file) => join(directory, file);
  }
  // A thousand containers differ in their number, and so do their directories.
  const first = await pinnedDirectory(daemon, cgroupPath.replace('{}', firstNumber));
  if (!first.endsWith(firstNumber)) throw new Error(`"${first}" does not end in ${firstNumber}`);
  const directory = `${first.slice(0, -firstNumber.length)}{}`;
  return (file) => join(directory, file);
}

async function pinnedDirectory(daemon: RunningDaemon, cgroupPath: string): Promise<string> {
  const { code, stdout, stderr } = await daemon.command('show', '--view', '--cgroup', cgroupPath);
  if (code !== 0) throw new Error(`lensfs show --view ended with ${code}: ${stderr}`);
  return stdout.trimEnd();
}
