// SPDX-License-Identifier: Apache-2.0
// LXCFS as its package's unit starts it. Its runtime directory cannot be chosen: no other may run.
import { run } from '../../test/_support/lensfs.js';
import { startChildDaemon } from './child-daemon.js';
import type { StartDriver } from './driver.js';

export const startLxcfs: StartDriver = async () => {
  const { stdout } = await run('pgrep', ['-x', 'lxcfs']);
  if (stdout !== '') {
    throw new Error(`lxcfs is running already, process ${stdout.trim().replaceAll('\n', ', ')}`);
  }
  return await startChildDaemon('lxcfs', (tree, dir) => [
    ...['lxcfs', '--foreground', `--pidfile=${dir.at('pid')}`],
    tree,
  ]);
};
