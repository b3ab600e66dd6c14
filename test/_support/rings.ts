// SPDX-License-Identifier: Apache-2.0
// The kernel's switch for FUSE over io_uring, which all runs on this machine share.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeldChange } from './held-change.js';
import { run } from './lensfs.js';

export const ringSwitchPath = '/sys/module/fuse/parameters/enable_uring';
const lockPath = join(tmpdir(), 'lensfs-test-rings.lock');

/** Whether the kernel has it. */
export function hasRings(): boolean {
  return existsSync(ringSwitchPath);
}

export const withRings = ['--set', 'transport=ring'];

/** Switches it on while any run uses it; off again after the last, where it was off, as the lock's file then says. */
export function switchRingsOn(): Promise<HeldChange> {
  const on = `grep -q Y ${ringSwitchPath} || { echo off >${lockPath}; echo Y >${ringSwitchPath}; }`;
  const off = `[ ! -s ${lockPath} ] || { echo N >${ringSwitchPath}; : >${lockPath}; }`;
  return HeldChange.make(`flock -s ${lockPath} sh -c '${on}; echo held; cat'
    flock -n -x ${lockPath} sh -c '${off}' || true`);
}

/** Process ids of the tasks of a worker's rings. */
export async function ringTasks(worker: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=,comm=', '--ppid', String(worker)]);
  const lines = stdout.split('\n').filter((line) => line.includes('lensfs-ring/'));
  return lines.map((line) => Number.parseInt(line, 10));
}
