// SPDX-License-Identifier: Apache-2.0
// Cgroups of this machine that the tests' containers are in: what the kernel says of them.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Guard } from './guard.js';

const cgroupRoot = '/sys/fs/cgroup';
const isUnified = existsSync(join(cgroupRoot, 'cgroup.controllers'));
const periodUsec = 100_000;

/** A controller in the words of v2; "cpuacct" is v1's alone. */
export type Controller = 'memory' | 'cpu' | 'cpuacct' | 'cpuset' | 'blkio';

/** The cgroups of a process, one for each controller. */
export class ProcessCgroup {
  readonly #paths: ReadonlyMap<string, string>;

  private constructor(paths: ReadonlyMap<string, string>) {
    this.#paths = paths;
  }

  static async of(pid: number): Promise<ProcessCgroup> {
    const text = await readFile(`/proc/${pid}/cgroup`, 'utf8');
    const paths = new Map<string, string>();
    for (const line of text.trimEnd().split('\n')) {
      const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      for (const controller of controllers.split(',')) paths.set(controller, path);
    }
    return new ProcessCgroup(paths);
  }

  /** The directory of the cgroup that has a controller. */
  directory(controller: Controller): string {
    if (isUnified) return join(cgroupRoot, this.#paths.get('') ?? '/');
    return join(cgroupRoot, controller, this.#paths.get(controller) ?? '/');
  }

  /** CPU time used, in microseconds. */
  async cpuUsageUsec(): Promise<number> {
    if (isUnified) return await this.#cpuStat('usage_usec');
    return Number(await this.#read('cpuacct', 'cpuacct.usage')) / 1000;
  }

  /** Memory in use, in bytes. */
  async memoryBytes(): Promise<number> {
    return Number(await this.#read('memory', memoryUsageFile));
  }

  /** Bytes read from and written to disks. */
  async ioBytes(): Promise<number> {
    const text = isUnified
      ? await this.#read('cpu', 'io.stat')
      : await this.#read('blkio', 'blkio.throttle.io_service_bytes_recursive');
    const bytes = text.matchAll(/(?:[rw]bytes=| (?:Read|Write) )(\d+)/g);
    return [...bytes].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** The processes in it, where the memory controller is. */
  async pids(): Promise<number[]> {
    return (await this.#read('memory', 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  }

  /** Makes a child with a limit in the hierarchy of the memory controller and moves processes there. */
  async moveToChild(name: string, memoryBytes: number, pids: readonly number[]): Promise<void> {
    const child = join(this.directory('memory'), name);
    await mkdir(child);
    if (isUnified) await this.#delegateMemory(name);
    await writeFile(join(child, memoryLimitFile), `${memoryBytes}`);
    for (const pid of pids) await writeFile(join(child, 'cgroup.procs'), `${pid}`);
  }

  async #cpuStat(key: string): Promise<number> {
    const text = await this.#read('cpu', 'cpu.stat');
    return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1]);
  }

  async #read(controller: Controller, name: string): Promise<string> {
    return await readFile(join(this.directory(controller), name), 'utf8');
  }

  /** A v2 cgroup has processes or children with controllers, never both. */
  async #delegateMemory(name: string): Promise<void> {
    const directory = this.directory('memory');
    const procs = (await readFile(join(directory, 'cgroup.procs'), 'utf8')).trim().split('\n');
    for (const pid of procs) await writeFile(join(directory, name, 'cgroup.procs'), pid);
    await writeFile(join(directory, 'cgroup.subtree_control'), '+memory');
  }
}

const memoryLimitFile = isUnified ? 'memory.max' : 'memory.limit_in_bytes';
const memoryUsageFile = isUnified ? 'memory.current' : 'memory.usage_in_bytes';

// A process that writes 0 to all of them is in the root cgroups.
const rootProcs = ['memory', 'cpu', 'cpuset'].map((controller) =>
  join(cgroupRoot, isUnified ? '' : controller, 'cgroup.procs'),
);

/** What a process that is in no container and no cgroup reads. */
export async function readInNoContainer(path: string): Promise<string> {
  const script = 'path=$1; shift; for procs in "$@"; do echo 0 >"$procs"; done; cat "$path"';
  const { stdout } = await promisify(execFile)('sh', ['-c', script, 'sh', path, ...rootProcs]);
  return stdout;
}

export interface ParentOptions {
  memoryBytes?: number;
  /** A quota, in CPUs. */
  cpus: number;
  /** Whether what is below gets CPU time before others do, as far as the quota goes. */
  isPreferred?: boolean;
}

let made = 0;

/** A cgroup to start containers below; disposing removes it from every hierarchy. */
export class ParentCgroup implements AsyncDisposable {
  readonly path: string;
  readonly #guard: Guard;

  private constructor(path: string) {
    this.path = path;
    this.#guard = new Guard('remove_cgroups "$1"', path);
  }

  static async create({ memoryBytes, cpus, isPreferred }: ParentOptions): Promise<ParentCgroup> {
    made += 1;
    const parent = new ParentCgroup(`/lensfs-parent-${process.pid}-${made}`);
    if (isUnified) await writeFile(join(cgroupRoot, 'cgroup.subtree_control'), '+cpu +memory');
    const cpu = parent.#directory('cpu');
    await mkdir(cpu, { recursive: true });
    const quota = `${Math.round(cpus * periodUsec)}`;
    if (isUnified) await writeFile(join(cpu, 'cpu.max'), `${quota} ${periodUsec}`);
    else await writeFile(join(cpu, 'cpu.cfs_quota_us'), quota);
    if (isPreferred === true) {
      if (isUnified) await writeFile(join(cpu, 'cpu.weight'), '10000');
      else await writeFile(join(cpu, 'cpu.shares'), '262144');
    }
    if (memoryBytes !== undefined) {
      await mkdir(parent.#directory('memory'), { recursive: true });
      await writeFile(join(parent.#directory('memory'), memoryLimitFile), `${memoryBytes}`);
    }
    return parent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard[Symbol.asyncDispose]();
  }

  #directory(controller: Controller): string {
    return join(cgroupRoot, isUnified ? '' : controller, this.path);
  }
}
