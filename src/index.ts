// SPDX-License-Identifier: Apache-2.0
// What programs that embed lensfs may use.
export { loadConfig } from './config/load.js';
export type { ParseResult, Problem } from './config/parse.js';
export type { Config, Duration } from './config/schema.js';
export type { ConfigFlags } from './config/sources.js';
export { ask, askToStop } from './control/client.js';
export type { ReloadReply, StatusReply } from './control/protocol.js';
export { type LaunchOptions, launch } from './daemon/launch.js';
export { LensfsError } from './errors.js';
export { NativeEngine, type NativeOptions, type NativeStatus } from './native/binding.js';
