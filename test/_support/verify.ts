// SPDX-License-Identifier: Apache-2.0
// lensfs-verify (native/load/verify.cc): checks every byte of every read of a file.
import { fileURLToPath } from 'node:url';
import { run } from './lensfs.js';

export const verifyProgram = fileURLToPath(
  new URL('../../build/Release/lensfs-verify', import.meta.url),
);

export interface Verified {
  reads: number;
  /** How many different texts there were. */
  texts: number;
  size: number;
  /** Reads by the rule they broke. */
  violations: Record<string, number>;
  /** The first wrong text. */
  example: string;
}

export interface VerifyOptions {
  threads?: number;
  seconds?: number;
  /** A cgroup's memory limit to be changed all the time, from `bytes` upwards. */
  limit?: { file: string; bytes: number };
}

/** Reads a file, called meminfo, stat, loadavg, uptime or swaps, with several threads. */
export async function verify(
  file: string,
  { threads = 4, seconds = 0.1, limit }: VerifyOptions = {},
): Promise<Verified> {
  const limitArgs = limit === undefined ? [] : [limit.file, `${limit.bytes}`];
  const args = [file, `${threads}`, `${seconds}`, ...limitArgs];
  const { code, stdout, stderr } = await run(verifyProgram, args, {
    timeout: (seconds + 30) * 1_000,
  });
  if (code !== 0) throw new Error(`lensfs-verify ended with ${code}: ${stderr}`);
  return { ...(JSON.parse(stdout) as Omit<Verified, 'example'>), example: stderr };
}

/** The rules that were broken, with how often. */
export function broken({ violations }: Verified): Record<string, number> {
  return Object.fromEntries(Object.entries(violations).filter(([, count]) => count > 0));
}
