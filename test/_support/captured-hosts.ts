// SPDX-License-Identifier: Apache-2.0
// The containers of the captured hosts (test/fixtures/hosts/README.md), and what lensfs makes of them.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CapturedEngine } from './captured-engine.js';
import { core } from './testing-addon.js';
import { type Tree, unpackTree } from './tree.js';

/** What a captured container is known to have, from the way it was made. */
export interface CapturedContainer {
  host: string;
  /** Of a process in it. */
  pid: number;
  /** How the path of its root in its first hierarchy ends. */
  root: RegExp;
  /** `null` is the host's. */
  memoryMib: number | null;
  swapMib: number | null;
  /** The CPUs it sees, as a list. */
  cpus: string;
}

type Row = [pid: number, root: RegExp, memory: number | null, swap: number | null, cpus: string];

const rows: Record<string, Row[]> = {
  'hybrid-2cpu': [
    [23102, /^\/docker\/1f6f0c\w+$/, 64, 0, '0'],
    [23123, /^\/docker\/9c7d5e\w+$/, 256, 0, '0-1'],
    [23263, /^\/docker\/9c7d5e\w+$/, 256, 0, '0-1'],
  ],
  'hybrid-2cpu-swap': [
    [17193, /^\/docker\/1f6f0c\w+$/, 64, 64, '0'],
    [17207, /^\/docker\/9c7d5e\w+$/, 256, 128, '0-1'],
    [17273, /^\/docker\/9c7d5e\w+$/, 256, 128, '0-1'],
  ],
  'v1-4cpu-swap': [
    [177, /^\/docker\/0d1a6f\w+$/, 64, 64, '0'],
    [199, /^\/docker\/1e2b7f\w+$/, 256, 64, '0-1'],
    [336, /^\/docker\/1e2b7f\w+$/, 256, 64, '0-1'],
    [222, /^\/docker\/415ea2\w+$/, null, null, '0-3'],
    [366, /^\/cg1\/cg2\/cg3$/, 500, 256, '0,2-3'],
  ],
  'v2-systemd-4cpu-swap': [
    [160, /^\/system\.slice\/docker-0d1a6f\w+\.scope$/, 64, 64, '0'],
    [183, /^\/system\.slice\/docker-1e2b7f\w+\.scope$/, 256, 0, '0-1'],
    [402, /^\/system\.slice\/docker-1e2b7f\w+\.scope$/, 256, 0, '0-1'],
    [207, /^\/system\.slice\/docker-2f3c80\w+\.scope$/, 128, 64, '0-3'],
    [231, /^\/system\.slice\/docker-304d91\w+\.scope$/, 100, 0, '0-3'],
    [253, /^\/system\.slice\/docker-415ea2\w*\.scope$/, null, null, '0-3'],
    [276, /^\/system\.slice\/docker-526fb3\w+\.scope$/, 96, 0, '1-2'],
    [457, /^\/kubepods\.slice\/.*cri-containerd-637fc4\w+\.scope$/, 192, null, '0-1'],
    [490, /^\/kubepods\.slice\/.*cri-containerd-7480d5\w+\.scope$/, 96, 0, '0'],
    [513, /^\/kubepods\.slice\/.*cri-containerd-8591e6\w+\.scope$/, 48, 0, '0'],
    [142, /^\/user\.slice\/user-1000\.slice\/session-3\.scope$/, 400, null, '0-3'],
  ],
  'v2-cgroupfs-4cpu-zram': [
    [160, /^\/docker\/0d1a6f\w+$/, 64, 64, '0'],
    [183, /^\/docker\/2f3c80\w+$/, null, null, '0-3'],
    [255, /^\/cg1\/cg2\/cg3$/, 500, 256, '0,2-3'],
    [300, /^\/cg1\/cg2\/cg3$/, 500, 256, '0,2-3'],
  ],
  'v2-64cpu': [
    [519, /^\/system\.slice\/docker-0d1a6f\w+\.scope$/, 128, 0, '0-3,32-34'],
    [546, /^\/system\.slice\/docker-650000\w*\.scope$/, 64, 0, '0-2'],
  ],
  'v2-256cpu-synthetic': [
    [519, /^\/system\.slice\/docker-0d1a6f\w+\.scope$/, 128, 0, '0-3,128-130'],
    [546, /^\/system\.slice\/docker-650000\w*\.scope$/, 64, 0, '0-2'],
  ],
};

/** By host. */
export const capturedContainers: ReadonlyMap<string, readonly CapturedContainer[]> = new Map(
  Object.entries(rows).map(([host, list]) => [
    host,
    list.map(([pid, root, memoryMib, swapMib, cpus]) => {
      return { host, pid, root, memoryMib, swapMib, cpus };
    }),
  ]),
);

const goldenDirectory = fileURLToPath(new URL('../fixtures/golden/', import.meta.url));

/** Where the bytes of a container's files are kept. */
export function goldenPath(container: CapturedContainer, file = ''): string {
  return join(goldenDirectory, container.host, String(container.pid), file);
}

/** An unpacked host and an engine on it, at the moment of its capture. */
export class CapturedHost implements AsyncDisposable {
  private constructor(
    readonly tree: Tree,
    readonly uptimeUsec: bigint,
  ) {}

  static async unpack(name: string): Promise<CapturedHost> {
    const tree = await unpackTree(name);
    const [seconds = '0', hundredths = '0'] = (await tree.read('proc/uptime')).split(/[. ]/);
    return new CapturedHost(tree, BigInt(seconds) * 1_000_000n + BigInt(hundredths) * 10_000n);
  }

  /** A new engine: its counters begin with its first read. */
  engine(policy: { cpu_count?: string; cpu_numbering?: string } = {}): CapturedEngine {
    const { proc, cgroup, sys } = this.tree;
    return new core.Engine({ proc, cgroup, sys, boottime_usec: this.uptimeUsec, ...policy });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tree[Symbol.asyncDispose]();
  }
}

/** All files as a container reads them first: path to bytes. */
export function renderAll(host: CapturedHost, { pid }: CapturedContainer): Map<string, string> {
  const engine = host.engine();
  return new Map(engine.files().map((file) => [file, engine.read(file, pid)]));
}
