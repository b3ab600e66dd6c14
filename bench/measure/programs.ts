// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url';

const directory = new URL('../../build/Release/', import.meta.url);

/** A program of native/load. */
export function loadProgram(
  name: 'lensfs-load' | 'lensfs-fleet' | 'lensfs-bare-ring' | 'lensfs-eater',
): string {
  return fileURLToPath(new URL(name, directory));
}

/** What all of them print for what they have read. */
export interface Tally {
  reads: number;
  errors: number;
  bytes: number;
  seconds: number;
  p50_ns: number;
  p99_ns: number;
}

export const nsecPerUsec = 1_000;
export const usecPerSec = 1_000_000;
