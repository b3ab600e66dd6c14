// SPDX-License-Identifier: Apache-2.0
// The cgroup that explainFile() says has decided a number.
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { NativeEngine } from '../../src/native/binding.js';
import { CapturedHost } from '../_support/captured-hosts.js';
import { hasCgroups, TestCgroup } from '../_support/cgroup.js';
import { explainNumber } from '../_support/explained.js';
import { openNativeEngine } from '../_support/native-engine.js';
import type { Tree } from '../_support/tree.js';
import { mebibyte } from '../_support/units.js';

const tebibyte = 2 ** 40;
const hasTwoCpus = availableParallelism() > 1;

/** Who decides a number in a cgroup of this machine. */
function deciderOf(engine: NativeEngine, { path }: TestCgroup, file: string, name: string) {
  return explainNumber(engine, file, name, { cgroup: path }).decidedBy;
}

describe.skipIf(!hasCgroups())('explainFile() of a cgroup of this machine', () => {
  const memoryNumbers = [
    ['proc/meminfo', 'MemTotal'],
    ['proc/meminfo', 'MemFree'],
    ['proc/meminfo', 'MemAvailable'],
    ['proc/meminfo', 'CommitLimit'],
    ['proc/vmstat', 'nr_free_pages'],
  ] as const;

  for (const [file, name] of memoryNumbers) {
    test(`names the memory limit for ${name}, and nobody for one above the host's memory`, async () => {
      await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
      await using engine = openNativeEngine();
      expect(deciderOf(engine, cgroup, file, name)).toBe(
        dirname(cgroup.file('memory', 'cgroup.procs')),
      );
      await cgroup.limit({ memoryBytes: tebibyte });
      expect(deciderOf(engine, cgroup, file, name)).toBeNull();
    });
  }

  const cpuNumbers = [
    ['proc/stat', 'cpu idle'],
    ['proc/uptime', 'idle'],
    ['proc/cpuinfo', 'processors'],
    ['sys/devices/system/cpu/online', 'list'],
  ] as const;

  for (const [file, name] of cpuNumbers) {
    test(`names the cpuset for ${name} when the quota allows as many CPUs`, async (context) => {
      context.skip(!hasTwoCpus, 'needs two CPUs');
      await using cgroup = await TestCgroup.create({ cpuset: '0', cpus: 4 });
      await using engine = openNativeEngine();
      expect(deciderOf(engine, cgroup, file, name)).toBe(
        dirname(cgroup.file('cpuset', 'cgroup.procs')),
      );
    });

    test(`names the quota for ${name} when it allows fewer CPUs, and nobody when it does not`, async (context) => {
      context.skip(!hasTwoCpus, 'needs two CPUs');
      await using cgroup = await TestCgroup.create({ cpus: 1 });
      await using engine = openNativeEngine();
      expect(deciderOf(engine, cgroup, file, name)).toBe(
        dirname(cgroup.file('cpu', 'cgroup.procs')),
      );
      await cgroup.limit({ cpus: 4096 });
      expect(deciderOf(engine, cgroup, file, name)).toBeNull();
    });

    test(`names no quota for ${name} with cpu.count: cpuset`, async (context) => {
      context.skip(!hasTwoCpus, 'needs two CPUs');
      await using cgroup = await TestCgroup.create({ cpus: 1 });
      await using engine = openNativeEngine(undefined, { cpuCount: 'cpuset' });
      expect(deciderOf(engine, cgroup, file, name)).toBeNull();
      const { sources } = explainNumber(engine, file, name, { cgroup: cgroup.path });
      expect(sources.filter(({ path }) => /\/cpu\.(max|cfs_\w+)$/.test(path))).toEqual([]);
      await cgroup.limit({ cpuset: '0' });
      expect(deciderOf(engine, cgroup, file, name)).toBe(
        dirname(cgroup.file('cpuset', 'cgroup.procs')),
      );
    });
  }

  test('names the ancestor whose cpuset is inherited', async (context) => {
    context.skip(!hasTwoCpus, 'needs two CPUs');
    await using cgroup = await TestCgroup.create({ cpuset: '1' });
    const parent = dirname(cgroup.file('cpuset', 'cgroup.procs'));
    await using engine = openNativeEngine();
    const child = await makeCpusetBelow(cgroup, parent, '1');
    try {
      const target = { cgroup: `${cgroup.path}/below` };
      const { decidedBy, sources } = explainNumber(
        engine,
        'sys/devices/system/cpu/online',
        'list',
        target,
      );
      expect(decidedBy).toBe(parent);
      expect(sources.map(({ path }) => dirname(path))).toEqual(
        expect.arrayContaining([parent, child]),
      );
    } finally {
      await rmdir(child);
    }
  });
});

/** A cgroup below another, which may use the same CPUs. */
async function makeCpusetBelow(
  cgroup: TestCgroup,
  parent: string,
  cpuset: string,
): Promise<string> {
  const child = `${parent}/below`;
  const isUnified = cgroup.directories.length === 1;
  if (isUnified) await writeFile(`${parent}/cgroup.subtree_control`, '+cpuset');
  await mkdir(child);
  if (!isUnified) {
    await writeFile(`${child}/cpuset.cpus`, cpuset);
    await writeFile(`${child}/cpuset.mems`, '0');
  }
  return child;
}

describe('explainFile() of a captured host', () => {
  const pid = 160;
  const slice = 'cgroup/system.slice';

  async function scopeOf(tree: Tree): Promise<string> {
    const path = /^0::(.*)$/m.exec(await tree.read(`proc/${pid}/cgroup`))?.[1] ?? '';
    return `cgroup${path}`;
  }

  for (const [file, name] of [
    ['proc/meminfo', 'SwapTotal'],
    ['proc/meminfo', 'SwapFree'],
  ] as const) {
    test(`names a swap limit of 0 for ${name}, and nobody with swap off`, async () => {
      await using host = await CapturedHost.unpack('v2-systemd-4cpu-swap');
      const { tree } = host;
      const scope = await scopeOf(tree);
      await tree.write(`${slice}/memory.swap.max`, `${32 * mebibyte}\n`);
      await tree.write(`${scope}/memory.swap.max`, '0\n');
      await using engine = openNativeEngine(tree);
      expect(explainNumber(engine, file, name, { pid })).toMatchObject({
        value: '0',
        decidedBy: `${tree.root}/${scope}`,
      });
      await using off = openNativeEngine(tree, { swap: false });
      expect(explainNumber(off, file, name, { pid }).decidedBy).toBeNull();
    });
  }

  test('names nobody for a swap limit above the swap of the host', async () => {
    await using host = await CapturedHost.unpack('v2-systemd-4cpu-swap');
    const { tree } = host;
    await tree.write(`${await scopeOf(tree)}/memory.swap.max`, `${tebibyte}\n`);
    await using engine = openNativeEngine(tree);
    expect(explainNumber(engine, 'proc/meminfo', 'SwapTotal', { pid }).decidedBy).toBeNull();
  });

  test('names nobody with swap off on v1, whose files are read all the same', async () => {
    await using host = await CapturedHost.unpack('v1-4cpu-swap');
    await using engine = openNativeEngine(host.tree);
    const target = { pid: 177 };
    const { decidedBy } = explainNumber(engine, 'proc/meminfo', 'SwapTotal', target);
    expect(decidedBy).toMatch(/\/memory\/docker\/0d1a6f\w+$/);
    await using off = openNativeEngine(host.tree, { swap: false });
    expect(explainNumber(off, 'proc/meminfo', 'SwapTotal', target).decidedBy).toBeNull();
  });

  for (const name of ['HugePages_Total', 'HugePages_Free', 'Hugetlb']) {
    test(`names the smallest hugetlb limit for ${name}, and shows it and the usage`, async () => {
      await using host = await CapturedHost.unpack('v2-systemd-4cpu-swap');
      const { tree } = host;
      const scope = await scopeOf(tree);
      await giveHugePages(tree, 16);
      await tree.write(`${slice}/hugetlb.2MB.max`, `${4 * 2 * mebibyte}\n`);
      await tree.write(`${scope}/hugetlb.2MB.max`, 'max\n');
      await tree.write(`${scope}/hugetlb.2MB.current`, `${2 * mebibyte}\n`);
      await using engine = openNativeEngine(tree);
      const { decidedBy, sources } = explainNumber(engine, 'proc/meminfo', name, { pid });
      expect(decidedBy).toBe(`${tree.root}/${slice}`);
      const raw = sources.map(({ path, value }) => [path.slice(tree.root.length + 1), value]);
      expect(raw).toEqual(
        expect.arrayContaining([
          [`${slice}/hugetlb.2MB.max`, `${4 * 2 * mebibyte}`],
          [`${scope}/hugetlb.2MB.current`, `${2 * mebibyte}`],
        ]),
      );
      await tree.write(`${slice}/hugetlb.2MB.max`, 'max\n');
      expect(explainNumber(engine, 'proc/meminfo', name, { pid }).decidedBy).toBeNull();
    });
  }
});

async function giveHugePages(tree: Tree, count: number): Promise<void> {
  const text = await tree.read('proc/meminfo');
  const pages = text.replace(/^(HugePages_(?:Total|Free):\s+)\d+/gm, `$1${count}`);
  await tree.write('proc/meminfo', pages.replace(/^(Hugetlb:\s+)\d+/m, `$1${count * 2048}`));
}
