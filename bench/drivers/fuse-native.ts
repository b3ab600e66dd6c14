// SPDX-License-Identifier: Apache-2.0
// A JavaScript handler behind the npm package fuse-native: what a daemon would be without a native
// read path. It computes nothing, it returns a constant meminfo.
import { fileURLToPath } from 'node:url';
import { startChildDaemon } from './child-daemon.js';
import type { StartDriver } from './driver.js';

const server = fileURLToPath(new URL('./fuse-native-server.js', import.meta.url));

export const startFuseNative: StartDriver = () =>
  startChildDaemon('fuse-native', (tree) => [process.execPath, server, tree]);
