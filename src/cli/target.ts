// SPDX-License-Identifier: Apache-2.0
// The options that say whose values a command is about.
import { type Arguments, type Option, UsageError } from './command.js';

export const targetOptions: Record<string, Option> = {
  pid: {
    type: 'string',
    placeholder: 'N',
    help: 'as this process sees it (default: lensfs itself)',
  },
  cgroup: {
    type: 'string',
    placeholder: 'PATH',
    help: 'as this cgroup sees it, such as /docker/0a1b2c',
  },
};

/** @throws UsageError */
export function readTarget(command: string, args: Arguments): { pid: number } | { cgroup: string } {
  const [pid, cgroup] = [args.text('pid'), args.text('cgroup')];
  if (pid !== undefined && cgroup !== undefined) {
    throw new UsageError(`${command}: --pid and --cgroup exclude each other`);
  }
  if (cgroup !== undefined) {
    if (cgroup.startsWith('/')) return { cgroup };
    throw new UsageError(
      `${command}: --cgroup: expected a path from the root "/", got "${cgroup}"`,
    );
  }
  if (pid === undefined) return { pid: process.pid };
  if (/^[1-9]\d{0,9}$/.test(pid)) return { pid: Number(pid) };
  throw new UsageError(`${command}: --pid: expected a process id, got "${pid}"`);
}
