// SPDX-License-Identifier: Apache-2.0
// Constant texts with FUSE over io_uring, by a program that does nothing else: no server over rings
// can be faster. Not there where the kernel has none.
import { hasRings, switchRingsOn } from '../../test/_support/rings.js';
import { loadProgram } from '../measure/programs.js';
import { startChildDaemon } from './child-daemon.js';
import type { StartDriver } from './driver.js';

export const startBareRing: StartDriver = async () => {
  if (!hasRings()) throw new Error('the kernel has no FUSE over io_uring');
  const ringSwitch = await switchRingsOn();
  try {
    const driver = await startChildDaemon('bare-ring', (tree) => [
      loadProgram('lensfs-bare-ring'),
      tree,
    ]);
    return {
      ...driver,
      [Symbol.asyncDispose]: async () => {
        await driver[Symbol.asyncDispose]();
        await ringSwitch[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await ringSwitch[Symbol.asyncDispose]();
    throw error;
  }
};
