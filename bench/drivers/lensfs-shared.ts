// SPDX-License-Identifier: Apache-2.0
// The tree that is mounted into every container: whose values a reader gets depends on the reader. Without rings,
// which another driver has.
import { join } from 'node:path';
import type { StartDriver } from './driver.js';
import { startLensfs } from './lensfs.js';

export const startLensfsShared: StartDriver = (options) =>
  startLensfs(
    'lensfs-shared',
    async ({ tree }) =>
      (file) =>
        join(tree, file),
    options,
    ['--set', 'transport=classic'],
  );
