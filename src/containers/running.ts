// SPDX-License-Identifier: Apache-2.0
// The containers that run, as the kernel shows them; no container engine is asked.
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { type Mount, mountOf, parseMounts } from './mount-table.js';

export interface RunningContainer {
  /** Its first process, as the host sees it. */
  pid: number;
  command: string;
  /** Of the cgroup with the longest path, such as "/docker/0a1b". */
  cgroup: string;
  mounts: Mount[];
}

/** Whoever is the first process of a pid namespace and has mounts of its own. */
export async function listContainers(): Promise<RunningContainer[]> {
  const own = await namespaceOf('self');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (pid) => await readContainer(pid, own)));
  return found.filter((container) => container !== undefined);
}

/** The container whose first process this is; undefined when it is none. */
export async function readContainer(
  pid: number,
  own?: string,
): Promise<RunningContainer | undefined> {
  try {
    const namespace = await namespaceOf(pid);
    if (namespace === (own ?? (await namespaceOf('self')))) return undefined;
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const inner = /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split('\t') ?? [];
    if (inner.length < 2 || inner.at(-1) !== '1' || /^State:\t[ZX]/m.test(status)) return undefined;
    const cgroups = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trimEnd().split('\n');
    const paths = cgroups.map((line) => line.split(':').slice(2).join(':'));
    return {
      pid,
      command: /^Name:\t(.*)$/m.exec(status)?.[1] ?? '',
      cgroup: paths.reduce((longest, path) => (path.length > longest.length ? path : longest), ''),
      mounts: parseMounts(await readFile(`/proc/${pid}/mountinfo`, 'utf8')),
    };
  } catch {
    return undefined; // it has ended, or is not ours to look at
  }
}

/** What the container says of the view in its environment: LENSFS, such as "off" or "cpu,memory". */
export async function readChoice(pid: number): Promise<string | undefined> {
  const variables = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const found = variables.split('\0').filter((variable) => variable.startsWith('LENSFS='));
  return found.at(-1)?.slice('LENSFS='.length);
}

/** Whether it has left its runtime's hands: its root is its own, with a /proc of its own. */
export async function isReady({ pid, mounts }: RunningContainer): Promise<boolean> {
  if (mountOf(mounts, '/proc')?.type !== 'proc') return false;
  try {
    const [own, host] = await Promise.all([stat(`/proc/${pid}/root/proc`), stat('/proc')]);
    return own.dev !== host.dev;
  } catch {
    return false;
  }
}

/** Longer than a daemon takes that is being started again. */
const answerLimitMs = 3_000;

/** Whether a file can be looked at; false when nobody answers for it in time. */
export async function answersAt(path: string): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), answerLimitMs);
  });
  try {
    return await Promise.race([stat(path).then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

async function namespaceOf(pid: number | 'self'): Promise<string> {
  return await readlink(`/proc/${pid}/ns/mnt`);
}
