// SPDX-License-Identifier: Apache-2.0
// Constant texts with FUSE over io_uring, by a program that does nothing else: no server over rings
// can be faster. Not there where the kernel has none.
import { loadProgram } from '../measure/programs.js';
import { startChildDaemon } from './child-daemon.js';
import type { StartDriver } from './driver.js';
import { withRingsOn } from './ring-switch.js';

const program = loadProgram('lensfs-bare-ring');

export const startBareRing: StartDriver = () =>
  withRingsOn(() => startChildDaemon('bare-ring', (tree) => [program, tree]));
