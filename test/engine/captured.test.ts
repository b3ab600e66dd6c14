// SPDX-License-Identifier: Apache-2.0
// What is known of the captured containers from the way they were made, against what they are shown.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CapturedEngine } from '../_support/captured-engine.js';
import {
  type CapturedContainer,
  CapturedHost,
  capturedContainers,
} from '../_support/captured-hosts.js';
import { core } from '../_support/testing-addon.js';
import { buildTree } from '../_support/tree.js';

const layouts: Record<string, string> = {
  'hybrid-2cpu': 'hybrid',
  'hybrid-2cpu-swap': 'hybrid',
  'v1-4cpu-swap': 'v1',
  'v2-systemd-4cpu-swap': 'v2',
  'v2-cgroupfs-4cpu-zram': 'v2',
  'v2-64cpu': 'v2',
  'v2-256cpu-synthetic': 'v2',
};

const sysCpu = 'sys/devices/system/cpu';

function meminfo(text: string): Map<string, bigint> {
  return new Map(core.parseMemInfo(text).map(({ label, value }) => [label, value]));
}

/** The list of the CPUs in a file of lines that begin with `prefix` and a number. */
function cpusOf(text: string, prefix: RegExp): number[] {
  return [...text.matchAll(prefix)].map(([, number]) => Number(number));
}

function numbers(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function expectMemory(engine: CapturedEngine, host: Map<string, bigint>, one: CapturedContainer) {
  const shown = meminfo(engine.read('proc/meminfo', one.pid));
  const kib = (mib: number | null, label: string) =>
    mib === null ? host.get(label) : BigInt(mib) * 1024n;
  expect(shown.get('MemTotal')).toBe(kib(one.memoryMib, 'MemTotal'));
  // Hosts without swap have none to give.
  const swap = kib(one.swapMib, 'SwapTotal') ?? 0n;
  const hostSwap = host.get('SwapTotal') ?? 0n;
  expect(shown.get('SwapTotal')).toBe(swap < hostSwap ? swap : hostSwap);
  for (const [label, value] of shown) {
    if (label === 'CommitLimit' || label === 'Committed_AS') continue;
    expect([label, value <= (host.get(label) ?? 0n)]).toEqual([label, true]);
  }
}

function expectCpus(engine: CapturedEngine, { pid, cpus }: CapturedContainer) {
  for (const name of ['online', 'possible', 'present']) {
    expect(engine.read(`${sysCpu}/${name}`, pid)).toBe(`${cpus}\n`);
  }
  expect(engine.read(`${sysCpu}/offline`, pid)).toBe('\n');
  expect(cpusOf(engine.read('proc/stat', pid), /^cpu(\d+) /gm)).toEqual(numbers(cpus));
  expect(cpusOf(engine.read('proc/cpuinfo', pid), /^processor\t: (\d+)$/gm)).toEqual(numbers(cpus));
}

for (const [name, containers] of capturedContainers) {
  describe(name, () => {
    let host: CapturedHost;
    beforeAll(async () => {
      host = await CapturedHost.unpack(name);
    });
    afterAll(() => host[Symbol.asyncDispose]());

    test(`is ${layouts[name]}`, () => {
      expect(host.engine().layout()).toBe(layouts[name]);
    });

    for (const container of containers) {
      const { pid } = container;
      test(`${pid}: its root, memory and CPUs`, async () => {
        const engine = host.engine();
        expect(engine.cgroup(pid)).toMatch(container.root);
        expectMemory(engine, meminfo(await host.tree.read('proc/meminfo')), container);
        expectCpus(engine, container);
      });
    }

    test('virtual numbering counts from 0 everywhere', () => {
      const engine = host.engine({ cpu_numbering: 'virtual' });
      for (const container of containers) {
        const last = numbers(container.cpus).length - 1;
        expectCpus(engine, { ...container, cpus: last === 0 ? '0' : `0-${last}` });
      }
    });

    test('topology names visible CPUs only, and others are not there', () => {
      const engine = host.engine();
      for (const { pid, cpus } of containers) {
        const visible = numbers(cpus);
        const list = engine.readSys(`cpu${visible[0]}/topology/core_siblings_list`, pid).trim();
        expect(numbers(list).filter((cpu) => !visible.includes(cpu))).toEqual([]);
        expect(() => engine.readSys('cpu4095/topology/core_siblings_list', pid)).toThrow(
          expect.objectContaining({ errno: -2 }) as Error,
        );
      }
    });

    test("the slabs of the host are nobody's business", () => {
      const engine = host.engine();
      for (const { pid } of containers) {
        expect(engine.read('proc/slabinfo', pid).split('\n').length).toBe(3);
      }
    });
  });
}

describe('no cgroups', () => {
  test('are an error that says where they were looked for', async () => {
    await using tree = await buildTree({ proc: { '1/ns/pid': '' } });
    const { proc, cgroup, sys } = tree;
    expect(() => new core.Engine({ proc, cgroup, sys })).toThrow(
      expect.objectContaining({ errno: -2, path: cgroup }) as Error,
    );
  });
});
