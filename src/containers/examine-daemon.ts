// SPDX-License-Identifier: Apache-2.0
// Whether a daemon serves, and whether its files are in the public tree.
import { withoutIds } from '../control/replies.js';
import { readVersion } from '../version.js';
import type { ExaminedHost } from './examined-host.js';
import { type Finding, fine } from './finding.js';
import { lensfsType, mountOf, parseMounts } from './mount-table.js';
import { answersAt } from './running.js';

export interface Daemon {
  version: string;
  pid: number;
  /** How reads come from the kernel, and why not through rings, where they were wanted. */
  transport?: { kind: string; reason: string };
  findsById?: boolean;
}

export interface DaemonOptions {
  tree: string;
  runDir: string;
  /** Rejects when nobody answers. */
  askDaemon: () => Promise<Daemon>;
}

export async function examineDaemon(
  host: ExaminedHost,
  { askDaemon, runDir }: DaemonOptions,
): Promise<Finding> {
  const subject = 'daemon';
  const daemon = await askDaemon().catch(() => undefined);
  if (daemon === undefined) {
    const text = `nobody answers in ${runDir}`;
    return { level: 'fail', subject, text, fix: 'systemctl start lensfs, or lensfs serve' };
  }
  const { kind, reason } = daemon.transport ?? { kind: 'classic', reason: '' };
  const transport = reason === '' ? kind : `${kind}: ${reason}`;
  const status = await host.text(`/proc/${daemon.pid}/status`);
  const unfiltered = /^Seccomp:\s+0$/m.test(status ?? '')
    ? ', without a filter of system calls'
    : '';
  const byName = daemon.findsById === false ? `, ${withoutIds}` : '';
  const text = `${daemon.version}, process ${daemon.pid}, transport ${transport}${unfiltered}${byName}`;
  const own = readVersion();
  if (daemon.version === own) return fine(subject, text);
  const fix = 'systemctl restart lensfs';
  return { level: 'warn', subject, text: `${text}: this program is ${own}`, fix };
}

export async function examineTree(host: ExaminedHost, tree: string): Promise<Finding> {
  const subject = 'tree';
  const mounts = parseMounts((await host.text('/proc/self/mountinfo')) ?? '');
  const file = `${tree}/proc/meminfo`;
  const top = mountOf(mounts, file);
  const fix = 'systemctl start lensfs, or lensfs serve';
  if (top === undefined || !(top.point === tree || top.point.startsWith(`${tree}/`))) {
    return { level: 'fail', subject, text: `nothing is mounted on ${tree}`, fix };
  }
  if (top.type !== lensfsType) {
    return { level: 'fail', subject, text: `${tree} shows the host's own files`, fix };
  }
  if (!(await answersAt(file))) {
    return { level: 'fail', subject, text: `${tree} has files of a daemon that is dead`, fix };
  }
  if (mountOf(mounts, tree)?.propagation === 'shared') {
    return fine(subject, `${tree} is shared: rslave mounts follow it`);
  }
  const text = `${tree} is not shared: containers do not follow a daemon that is mounted anew`;
  return { level: 'warn', subject, text, fix: 'lensfs repair --all, after each restart' };
}
