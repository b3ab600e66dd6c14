// SPDX-License-Identifier: Apache-2.0
import type { DriverName } from '../measurement.js';
import { startBareRing } from './bare-ring.js';
import type { StartDriver } from './driver.js';
import { startFuseNative } from './fuse-native.js';
import { startHostProc } from './host-proc.js';
import { startLensfsPinned } from './lensfs-pinned.js';
import { startLensfsRing } from './lensfs-ring.js';
import { startLensfsShared } from './lensfs-shared.js';
import { startLxcfs } from './lxcfs.js';
import { startPlainFile } from './plain-file.js';

export const drivers: Readonly<Record<DriverName, StartDriver>> = {
  'lensfs-shared': startLensfsShared,
  'lensfs-ring': startLensfsRing,
  'lensfs-pinned': startLensfsPinned,
  lxcfs: startLxcfs,
  'host-proc': startHostProc,
  'fuse-native': startFuseNative,
  'plain-file': startPlainFile,
  'bare-ring': startBareRing,
};
