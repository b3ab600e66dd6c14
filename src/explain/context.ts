// SPDX-License-Identifier: Apache-2.0
// What there is to say where one number comes from. Pure.
import type { Input } from './inputs.js';
import type { LevelRoom } from './memory-levels.js';
import type { NamedNumber } from './numbers.js';

/** A kernel file and what a number took from it. */
export interface Source {
  path: string;
  key: string;
  value: string;
}

/** The host's file of the same name, as it was read. */
export interface HostFile {
  path: string;
  numbers: ReadonlyMap<string, string>;
}

export interface NumberContext {
  file: string;
  number: NamedNumber;
  /** The text of the virtual file. */
  text: string;
  /** The CPUs that are shown, under the host's numbers. */
  cpus: readonly number[];
  initPid: number;
  inputs: readonly Input[];
  /** Those that limit memory, the container root first. */
  memoryLevels: readonly LevelRoom[];
  /** `null` when it was not read. */
  hostFile: HostFile | null;
}
