// SPDX-License-Identifier: Apache-2.0
import { hasRings, switchRingsOn } from '../../test/_support/rings.js';
import type { Driver } from './driver.js';

/** Starts a driver over io_uring, with the kernel's switch on while it runs. @throws where the kernel has none */
export async function withRingsOn(start: () => Promise<Driver>): Promise<Driver> {
  if (!hasRings()) throw new Error('the kernel has no FUSE over io_uring');
  const ringSwitch = await switchRingsOn();
  try {
    const driver = await start();
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
}
