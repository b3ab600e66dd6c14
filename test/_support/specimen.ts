// SPDX-License-Identifier: Apache-2.0
// A captured container whose files a test rewrites, to see what a reader in it makes of that.
import { CapturedHost } from './captured-hosts.js';
import { parseMemInfo, parseProcessors, parseStat, type StatText } from './proc-text.js';

interface Place {
  host: string;
  pid: number;
  /** The directory of its cgroup in the hierarchy of a controller. */
  directory: (controller: string) => string;
}

const id = '0d1a6f1e5b7c49a2831e9f40c6d7b8a95e4f3c2b1a0998877665544332211000';

/** 64 MiB, swap of 64 MiB, half a CPU, CPU 0 of 4; its first process is called "a) b". */
const places = {
  v2: { host: 'v2-cgroupfs-4cpu-zram', pid: 160, directory: () => `cgroup/docker/${id}` },
  v1: {
    host: 'v1-4cpu-swap',
    pid: 177,
    directory: (controller) =>
      `cgroup/${/^cpu(acct)?$/.test(controller) ? 'cpu,cpuacct' : controller}/docker/${id}`,
  },
} satisfies Record<string, Place>;

type Policy = Parameters<CapturedHost['engine']>[0];

/** The first captured container of a cgroup version, with an engine that is new at every read. */
export class Specimen implements AsyncDisposable {
  readonly host: CapturedHost;
  readonly pid: number;
  readonly #place: Place;

  private constructor(host: CapturedHost, place: Place) {
    this.host = host;
    this.pid = place.pid;
    this.#place = place;
  }

  static async unpack(version: keyof typeof places): Promise<Specimen> {
    const place = places[version];
    return new Specimen(await CapturedHost.unpack(place.host), place);
  }

  /** Rewrites files of its cgroup: a file's name begins with its controller's. */
  async setCgroup(files: Record<string, string | number>): Promise<void> {
    for (const [name, content] of Object.entries(files)) {
      const text = `${content}`;
      const isWhole = text === '' || text.endsWith('\n');
      await this.host.tree.write(this.cgroupFile(name), isWhole ? text : `${text}\n`);
    }
  }

  /** Removes a file of its cgroup. */
  async removeFromCgroup(name: string): Promise<void> {
    await this.host.tree.remove(this.cgroupFile(name));
  }

  cgroupFile(name: string): string {
    const [controller = ''] = name.split('.');
    return `${this.#place.directory(controller)}/${name}`;
  }

  /** Rewrites lines of a file of the host: `{'MemFree:': 'MemFree:  12 kB'}`. */
  async setHostLines(path: string, lines: Record<string, string>): Promise<void> {
    const text = await this.host.tree.read(path);
    const changed = text.split('\n').map((line) => {
      const [, replacement] = Object.entries(lines).find(([key]) => line.startsWith(key)) ?? [];
      return replacement ?? line;
    });
    await this.host.tree.write(path, changed.join('\n'));
  }

  /** What a process reads; the first process of the container when none is given. */
  read(file: string, policy: Policy = {}, pid = this.pid): string {
    return this.host.engine(policy).read(file, pid);
  }

  memInfo(): Record<string, number> {
    return parseMemInfo(this.read('proc/meminfo'));
  }

  stat(policy: Policy = {}): StatText {
    return parseStat(this.read('proc/stat', policy));
  }

  /** The numbers of its CPUs in `/proc/cpuinfo`. */
  processors(policy: Policy = {}): number[] {
    return parseProcessors(this.read('proc/cpuinfo', policy));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]();
  }
}
