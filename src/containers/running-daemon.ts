// SPDX-License-Identifier: Apache-2.0
// A daemon of a container engine that runs on this host, and the arguments that it was started with.
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface RunningDaemon {
  pid: number;
  /** Its program, also when another one stands in its place by now. */
  program: string;
  /** Without the program's name. */
  args: string[];
}

/** All of a name that see this host's files; a daemon in a container has files of its own. */
export async function findDaemons(name: string): Promise<RunningDaemon[]> {
  const own = await readlink('/proc/self/ns/mnt');
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(pids.map(async (pid) => await readDaemon(pid, name, own)));
  return found.filter((daemon) => daemon !== undefined);
}

/** The last value of an option, given as "--name value" or "--name=value". */
export function optionOf(args: readonly string[], ...names: string[]): string | undefined {
  const values = args.flatMap((word, index) => {
    const [, flag, value] = /^--?([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (flag === undefined || !names.includes(flag)) return [];
    return [value ?? args[index + 1]];
  });
  return values.at(-1);
}

async function readDaemon(
  pid: string,
  name: string,
  own: string,
): Promise<RunningDaemon | undefined> {
  try {
    if ((await readFile(`/proc/${pid}/comm`, 'utf8')).trimEnd() !== name) return undefined;
    if ((await readlink(`/proc/${pid}/ns/mnt`)) !== own) return undefined;
    // Anybody can call a program so, whose arguments would say which file root is to write.
    if (!/^Uid:\t0\t0\t/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))) return undefined;
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    return { pid: Number(pid), program: `/proc/${pid}/exe`, args: words.slice(1, -1) };
  } catch {
    return undefined; // it has ended, or is not ours to look at
  }
}
