// SPDX-License-Identifier: Apache-2.0
// "lensfs shared (ring)": the shared tree with FUSE over io_uring; not there where the kernel has none.
import { join } from 'node:path';
import { controlSocketPath } from '../../src/config/paths.js';
import { ask } from '../../src/control/client.js';
import { withRings } from '../../test/_support/rings.js';
import type { StartDriver } from './driver.js';
import { startLensfs } from './lensfs.js';
import { withRingsOn } from './ring-switch.js';

export const startLensfsRing: StartDriver = (options) =>
  withRingsOn(() =>
    startLensfs(
      'lensfs-ring',
      async (daemon) => {
        const { transport } = await ask(controlSocketPath(daemon.runDir), 'status');
        if (transport.kind !== 'ring') throw new Error(transport.reason);
        return (file) => join(daemon.tree, file);
      },
      options,
      withRings,
    ),
  );
