// SPDX-License-Identifier: Apache-2.0
// The kernel files that explainFile() names for each number, and what it says was in them.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/explain/explain.js';
import { numbersOf } from '../../src/explain/numbers.js';
import { CapturedHost, capturedContainers } from '../_support/captured-hosts.js';
import { hasCgroups, TestCgroup } from '../_support/cgroup.js';
import { explainAll, explainNumber } from '../_support/explained.js';
import { openNativeEngine } from '../_support/native-engine.js';
import { waitUntil } from '../_support/wait.js';

const cpuInfoFixtures = 'test/fixtures/cpuinfo';

/** The numbers that come from nowhere. A constant begins with what it is: "0: no container has any". */
function withoutSource({ file, numbers }: Explanation): string[] {
  return numbers
    .filter(({ sources, formula, value }) => {
      const isConstant = formula.startsWith(`${value === '' ? 'empty' : value}: `);
      return sources.length === 0 && !isConstant;
    })
    .map(({ name, formula }) => `${file} ${name}: ${formula}`);
}

describe('explainFile() has a source for every number that is no constant', () => {
  for (const [name, containers] of capturedContainers) {
    test(`of ${name}`, async () => {
      await using host = await CapturedHost.unpack(name);
      await using engine = openNativeEngine(host.tree);
      for (const target of containers) {
        const explanations = explainAll(engine, { pid: target.pid });
        expect(explanations.flatMap(withoutSource)).toEqual([]);
        const empty = explanations.filter(({ numbers }) => numbers.length === 0);
        expect(mayBeEmpty).toEqual(expect.arrayContaining(empty.map(({ file }) => file)));
      }
    });
  }

  test.skipIf(!hasCgroups())('of a cgroup of this machine', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 2 ** 26, cpus: 1 });
    await using engine = openNativeEngine();
    const explanations = explainAll(engine, { cgroup: cgroup.path });
    expect(explanations.some(({ isHosts }) => !isHosts)).toBe(true);
    expect(explanations.flatMap(withoutSource)).toEqual([]);
  });

  test.skipIf(!hasCgroups())("of the host's own files", async () => {
    await using engine = openNativeEngine();
    const explanations = explainAll(engine, { cgroup: '/' });
    const own = explanations.filter(({ isHosts }) => isHosts);
    expect(own.map(({ file }) => file)).toContain('proc/meminfo');
    expect(own.flatMap(withoutSource)).toEqual([]);
    for (const { file, numbers } of own) {
      for (const { value, sources } of numbers) {
        expect(sources).toMatchObject([{ path: `/${file}`, value }]);
      }
    }
  });
});

/** A container without swap, and a host without disks, have no rows there. */
const mayBeEmpty = ['proc/swaps', 'proc/diskstats'];

describe.skipIf(!hasCgroups())('explainFile() of tasks', () => {
  test('shows the states of those that it counts, each time it is asked', async () => {
    await using cgroup = await TestCgroup.create();
    const shell = spawn(...cgroup.enter('sh', '-c', 'while :; do :; done'));
    await using engine = openNativeEngine();
    const target = { cgroup: cgroup.path };
    const running = { path: `/proc/${shell.pid}/stat`, key: '', value: 'R' };
    await waitUntil('the shell loops in the cgroup', async () => isIn(cgroup, shell));
    for (let time = 0; time < 2; time += 1) {
      for (const [file, name] of [
        ['proc/stat', 'procs_running'],
        ['proc/loadavg', 'running'],
        ['proc/loadavg', '1 min'],
      ] as const) {
        const { sources } = explainNumber(engine, file, name, target);
        expect(sources, name).toContainEqual(running);
      }
    }
    const blocked = explainNumber(engine, 'proc/stat', 'procs_blocked', target);
    expect(blocked.sources).not.toContainEqual(running);
    expect(blocked.sources.map(({ value }) => value)).toContain(`${shell.pid}`);
  });

  test('shows the numbers of the newest, and when the first has started', async () => {
    await using cgroup = await TestCgroup.create();
    const shell = spawn(...cgroup.contain('sleep', '1000'));
    await using engine = openNativeEngine();
    const pid = await findChild(shell);
    const newest = explainNumber(engine, 'proc/loadavg', 'pid', { pid });
    expect(newest.value).toBe('1');
    expect(newest.sources).toContainEqual({
      path: `/proc/${pid}/status`,
      key: 'NSpid',
      value: `${pid}\t1`,
    });
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const value = stat.slice(stat.lastIndexOf(')')).split(' ')[20];
    for (const [file, name] of [
      ['proc/uptime', 'uptime'],
      ['proc/uptime', 'idle'],
      ['proc/stat', 'cpu idle'],
    ] as const) {
      const { sources } = explainNumber(engine, file, name, { pid });
      expect(sources).toContainEqual({ path: `/proc/${pid}/stat`, key: '', value });
    }
  });
});

function isIn(cgroup: TestCgroup, { pid }: ChildProcess): boolean {
  const isThere = cgroup.directories.every((directory) =>
    readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').includes(`${pid}`),
  );
  return isThere && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sh\0-c\0while');
}

/** The process that a cgroup's contain() starts in a pid namespace. */
async function findChild({ pid }: ChildProcess): Promise<number> {
  let found = '';
  await waitUntil('the container runs', async () => {
    found = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return found !== '' && readFileSync(`/proc/${found}/comm`, 'utf8') === 'sleep\n';
  });
  return Number(found);
}

describe('explainFile() of /proc/cpuinfo', () => {
  for (const cpuNumbering of ['physical', 'virtual'] as const) {
    test(`has the host's numbers of each CPU with ${cpuNumbering} numbers`, async () => {
      await using host = await CapturedHost.unpack('v2-systemd-4cpu-swap');
      const { tree } = host;
      const text = await tree.read('proc/cpuinfo');
      let cpu = 0;
      const marked = text.replace(/^(cpu MHz\s*: ).*$/gm, (_, start) => `${start}${1000 + cpu++}`);
      expect(cpu).toBe(4);
      await tree.write('proc/cpuinfo', marked);
      await using engine = openNativeEngine(tree, { cpuNumbering });
      const shown = cpuNumbering === 'physical' ? [1, 2] : [0, 1];
      for (const [index, number] of shown.entries()) {
        expect(
          explainNumber(engine, 'proc/cpuinfo', `cpu${number} cpu MHz`, { pid: 276 }),
        ).toMatchObject({
          value: `${1001 + index}`,
          sources: [{ path: `${tree.proc}/cpuinfo`, key: 'cpu MHz', value: `${1001 + index}` }],
        });
      }
    });
  }

  for (const name of readdirSync(cpuInfoFixtures)) {
    test(`counts the CPUs of ${name}, and names each number once`, () => {
      const numbers = numbersOf('proc/cpuinfo', readFileSync(`${cpuInfoFixtures}/${name}`, 'utf8'));
      const names = numbers.map((number) => number.name);
      expect(Number(numbers[0]?.value)).toBeGreaterThan(0);
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBeGreaterThan(1);
    });
  }
});

test('explainFile() of /proc/slabinfo says why it is empty', async () => {
  await using host = await CapturedHost.unpack('v2-64cpu');
  await using engine = openNativeEngine(host.tree);
  const target = { pid: 519 };
  expect(explainNumber(engine, 'proc/slabinfo', 'version', target).value).toBe('2.1');
  expect(explainNumber(engine, 'proc/slabinfo', 'caches', target)).toMatchObject({
    value: '0',
    host: null,
    formula: expect.stringContaining('0: caches'),
  });
});
