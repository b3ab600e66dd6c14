// SPDX-License-Identifier: Apache-2.0
// Switches FUSE over io_uring on for a run that tests it (`TEST_TRANSPORT=ring`).
import { switchRingsOn } from './rings.js';

export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env['TEST_TRANSPORT'] !== 'ring') return undefined;
  const change = await switchRingsOn();
  return async () => await change[Symbol.asyncDispose]();
}
