// SPDX-License-Identifier: Apache-2.0
// Which CPUs Docker containers see, and that all files agree on them.
import { cpus as hostCpus } from 'node:os';
import { describe, expect } from 'vitest';
import type { Container } from '../_support/container.js';
import { containerTest, containerTestWith, useContainers } from '../_support/containers.js';
import { cpuNumbers, parseCpuList } from '../_support/proc-text.js';
import { twoCpus } from '../_support/requirements.js';

const test = containerTest;
const containers = useContainers();
const virtual = useContainers('--set', 'cpu.numbering=virtual');
const cpuset = useContainers('--set', 'cpu.count=cpuset');

const sysCpu = '/sys/devices/system/cpu';

const testOnTwo = containerTestWith(twoCpus);

function firstCpus(count: number): number[] {
  return Array.from({ length: Math.min(count, hostCpus().length) }, (_, cpu) => cpu);
}

/** The numbers of the CPUs, which every file that has them must agree on. */
async function visibleCpus(container: Container): Promise<number[]> {
  const cpus = await container.processors();
  expect(cpuNumbers(await container.cpuLines())).toEqual(cpus);
  for (const file of ['online', 'possible', 'present']) {
    expect(parseCpuList(await container.read(`${sysCpu}/${file}`))).toEqual(cpus);
  }
  expect((await container.read(`${sysCpu}/offline`)).trim()).toBe('');
  const names = (await container.output('/busybox', 'ls', sysCpu)).split('\n');
  const directories = names.filter((name) => /^cpu\d+$/.test(name));
  expect(directories.toSorted()).toEqual(cpus.map((cpu) => `cpu${cpu}`).toSorted());
  for (const name of directories) {
    const siblings = await container.read(`${sysCpu}/${name}/topology/package_cpus_list`);
    expect(cpus).toEqual(expect.arrayContaining(parseCpuList(siblings)));
    expect(siblings).not.toBe('\n');
  }
  return cpus;
}

describe('a quota of CPUs', () => {
  for (const [quota, count] of [
    [0.5, 1],
    [1, 1],
    [1.5, 2],
  ] as const) {
    const quotaTest = quota > 1 ? testOnTwo : test; // Docker refuses more than there is
    quotaTest(`--cpus ${quota} shows ${count}`, async () => {
      await using container = await containers().docker(['--cpus', `${quota}`]);
      expect(await visibleCpus(container)).toEqual(firstCpus(count));
    });
  }

  test('that is none shows those of the host', async () => {
    await using container = await containers().docker();
    expect(await visibleCpus(container)).toEqual(firstCpus(hostCpus().length));
  });

  test('is not counted with cpu.count=cpuset', async () => {
    await using container = await cpuset().docker(['--cpus', '0.5']);
    expect(await visibleCpus(container)).toEqual(firstCpus(hostCpus().length));
  });
});

describe('a set of CPUs', () => {
  testOnTwo('is what is seen, by its numbers', async () => {
    await using container = await containers().docker(['--cpuset-cpus', '1']);
    expect(await visibleCpus(container)).toEqual([1]);
    const affinity = await container.output('python3', '-c', printAffinity);
    expect(JSON.parse(affinity)).toEqual([1]);
  });

  testOnTwo('is cut to a quota from below', async () => {
    await using container = await containers().docker(['--cpuset-cpus', '0-1', '--cpus', '0.7']);
    expect(await visibleCpus(container)).toEqual([0]);
  });

  testOnTwo('counts from 0 with cpu.numbering=virtual', async () => {
    await using container = await virtual().docker(['--cpuset-cpus', '1']);
    expect(await visibleCpus(container)).toEqual([0]);
  });
});

const printAffinity = 'import json, os; print(json.dumps(sorted(os.sched_getaffinity(0))))';

describe('every answer', () => {
  test('is of the container that asked', async () => {
    await containers().expectNoFallback();
    await virtual().expectNoFallback();
    await cpuset().expectNoFallback();
  });
});
