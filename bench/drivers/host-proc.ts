// SPDX-License-Identifier: Apache-2.0
// The kernel's own files: no container's values, no daemon, the floor for everybody else.
import type { StartDriver } from './driver.js';

export const startHostProc: StartDriver = async () => ({
  name: 'host-proc',
  filesFor: async () => (file) => `/${file}`,
  cpuUsec: async () => undefined,
  memory: async () => undefined,
  ending: () => undefined,
  [Symbol.asyncDispose]: async () => {},
});
