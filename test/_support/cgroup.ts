// SPDX-License-Identifier: Apache-2.0
// A cgroup of a test's own on the machine it runs on, with v1, hybrid or v2 hierarchies.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { waitUntil } from './wait.js';

const cgroupRoot = '/sys/fs/cgroup';
const isUnified = existsSync(join(cgroupRoot, 'cgroup.controllers'));
const controllers = ['memory', 'cpu', 'cpuacct', 'cpuset', 'pids', 'blkio'];
const periodUsec = 100_000;

/** Limits of a cgroup; what is left out is not limited. */
export interface CgroupLimits {
  memoryBytes?: number;
  /** A quota, in CPUs: 1.5. */
  cpus?: number;
  /** A list, such as "0-1". */
  cpuset?: string;
}

/** Whether there are cgroups to be made. */
export function hasCgroups(): boolean {
  return isUnified || existsSync(join(cgroupRoot, 'memory'));
}

let made = 0;

/**
 * A cgroup in every hierarchy; disposing kills what runs in it and removes it.
 *
 * @example
 * await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
 * await run(...cgroup.contain('cat', '/proc/self/cgroup'));
 */
export class TestCgroup implements AsyncDisposable {
  /** Its path in each hierarchy, from the hierarchy's root. */
  readonly path: string;
  /** Its directory in each hierarchy. */
  readonly directories: readonly string[];

  private constructor(path: string, hierarchies: readonly string[]) {
    this.path = path;
    this.directories = hierarchies.map((hierarchy) => join(hierarchy, path));
  }

  static async create(limits: CgroupLimits = {}): Promise<TestCgroup> {
    made += 1;
    return await TestCgroup.#make(`/lensfs-test-${process.pid}-${made}`, limits);
  }

  /** A new one of the same path, after this one was removed. */
  async again(limits: CgroupLimits = {}): Promise<TestCgroup> {
    return await TestCgroup.#make(this.path, limits);
  }

  /** One below it, which is to be disposed of first; on v2 it then has no processes of its own. */
  async child(name: string, limits: CgroupLimits = {}): Promise<TestCgroup> {
    const [root] = this.directories;
    if (isUnified && root !== undefined) {
      const usable = await readFile(join(root, 'cgroup.controllers'), 'utf8');
      const enable = usable
        .trim()
        .split(' ')
        .map((each) => `+${each}`);
      await writeFile(join(root, 'cgroup.subtree_control'), enable.join(' '));
    }
    return await TestCgroup.#make(`${this.path}/${name}`, limits);
  }

  static async #make(path: string, limits: CgroupLimits): Promise<TestCgroup> {
    const cgroup = new TestCgroup(path, await findHierarchies());
    try {
      for (const directory of cgroup.directories) await mkdir(directory);
      if (!isUnified) await cgroup.#inheritCpuset();
      await cgroup.limit(limits);
      return cgroup;
    } catch (error) {
      await cgroup[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Changes limits; those left out stay. */
  async limit({ memoryBytes, cpus, cpuset }: CgroupLimits): Promise<void> {
    if (memoryBytes !== undefined) {
      await this.#write('memory', 'memory.max', 'memory.limit_in_bytes', `${memoryBytes}`);
    }
    if (cpus !== undefined) {
      const quota = `${Math.round(cpus * periodUsec)}`;
      if (isUnified) await writeFile(this.file('cpu', 'cpu.max'), `${quota} ${periodUsec}`);
      else {
        await writeFile(this.file('cpu', 'cpu.cfs_period_us'), `${periodUsec}`);
        await writeFile(this.file('cpu', 'cpu.cfs_quota_us'), quota);
      }
    }
    if (cpuset !== undefined) await writeFile(this.file('cpuset', 'cpuset.cpus'), cpuset);
  }

  /** The path of a file of a controller. */
  file(controller: string, name: string): string {
    return join(isUnified ? cgroupRoot : join(cgroupRoot, controller), this.path, name);
  }

  /** A command that runs `command` in this cgroup, as the first process of a pid namespace. */
  contain(command: string, ...args: string[]): [string, string[]] {
    const unshare = ['unshare', '--pid', '--fork', '--kill-child'];
    return this.enter('setpriv', '--pdeathsig', 'KILL', ...unshare, command, ...args);
  }

  /** A command that runs `command` in this cgroup and the caller's pid namespace. */
  enter(command: string, ...args: string[]): [string, string[]] {
    const files = this.directories.map((directory) => `${directory}/cgroup.procs`);
    const move = `for procs in ${files.join(' ')}; do echo 0 >"$procs" || exit 125; done`;
    return ['sh', ['-c', `${move}; exec "$@"`, 'sh', command, ...args]];
  }

  /** Removes it; the caller sees to it that nothing runs in it. */
  async remove(): Promise<void> {
    for (const directory of this.directories) if (existsSync(directory)) await rmdir(directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const directory of this.directories) {
      await waitUntil(`${directory} is gone`, async () => {
        if (!existsSync(directory)) return true;
        for (const pid of await pidsIn(directory)) kill(pid);
        return await rmdir(directory).then(
          () => true,
          () => false,
        );
      });
    }
  }

  async #write(controller: string, v2: string, v1: string, value: string): Promise<void> {
    await writeFile(this.file(controller, isUnified ? v2 : v1), value);
  }

  /** A v1 cpuset takes no process before it has CPUs and memory nodes. */
  async #inheritCpuset(): Promise<void> {
    if (!existsSync(this.file('cpuset', '.'))) return;
    for (const name of ['cpuset.cpus', 'cpuset.mems']) {
      const value = await readFile(join(cgroupRoot, 'cpuset', name), 'utf8');
      await writeFile(this.file('cpuset', name), value);
    }
  }
}

/** The mount point of each hierarchy, once each. */
async function findHierarchies(): Promise<string[]> {
  if (isUnified) {
    const wanted = controllers.map((name) => (name === 'blkio' ? 'io' : name));
    const there = (await readFile(join(cgroupRoot, 'cgroup.controllers'), 'utf8')).trim();
    const usable = there.split(' ').filter((name) => wanted.includes(name));
    const enable = usable.map((name) => `+${name}`).join(' ');
    await writeFile(join(cgroupRoot, 'cgroup.subtree_control'), enable);
    return [cgroupRoot];
  }
  const found = new Set<string>();
  for (const name of [...controllers, 'unified']) {
    const directory = join(cgroupRoot, name);
    if (existsSync(join(directory, 'cgroup.procs'))) found.add(await realpath(directory));
  }
  return [...found];
}

async function pidsIn(directory: string): Promise<number[]> {
  const nested = await readdir(directory, { withFileTypes: true });
  for (const entry of nested) if (entry.isDirectory()) throw new Error(`${entry.name} is nested`);
  const text = await readFile(join(directory, 'cgroup.procs'), 'utf8');
  return text.split('\n').filter(Boolean).map(Number);
}

function kill(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
