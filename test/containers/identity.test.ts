// SPDX-License-Identifier: Apache-2.0
// Whose values a reader gets: its container's, however it came there and whatever that is made of.
import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { ParentCgroup, ProcessCgroup, readInNoContainer } from '../_support/cgroup-tree.js';
import type { Container } from '../_support/container.js';
import { containerTest as test, useContainers } from '../_support/containers.js';
import { run } from '../_support/lensfs.js';
import { patience } from '../_support/patience.js';
import { parseMemInfo, parseProcessors } from '../_support/proc-text.js';
import { kibPerMebibyte, mebibyte } from '../_support/units.js';

const containers = useContainers();

async function memTotalMib(container: Container): Promise<number> {
  return ((await container.memInfo())['MemTotal'] ?? 0) / kibPerMebibyte;
}

/** Reads meminfo when told to. */
const readWhenTold = `
  while True:
      step(open('/proc/meminfo').read())
`;

describe('a reader', () => {
  test('that is the first process sees what one of docker exec sees', async () => {
    const print = 'cat /proc/meminfo /proc/cpuinfo; exec sleep 1000000';
    await using container = await containers().docker(
      ['--memory', '48m', '--cpus', '1'],
      ['/busybox', 'sh', '-c', print],
    );
    await expect.poll(() => container.logs()).toMatch(/^processor/m);
    const text = await container.logs();
    expect(text).toMatch(/^MemTotal: +49152 kB$/m);
    expect(parseProcessors(text)).toEqual(await container.processors());
    expect(await memTotalMib(container)).toBe(48);
  });

  test('of another user sees the same', async () => {
    await using container = await containers().docker(['--memory', '48m']);
    const { stdout } = await container.runAs(65_534, 'cat', '/proc/meminfo');
    expect(parseMemInfo(stdout)['MemTotal']).toBe(48 * kibPerMebibyte);
  });

  test('in no container and no cgroup sees the host', async () => {
    const seen = parseMemInfo(await readInNoContainer(`${containers().daemon.tree}/proc/meminfo`));
    const host = parseMemInfo(await readFile('/proc/meminfo', 'utf8'));
    for (const label of ['MemTotal', 'SwapTotal', 'DirectMap4k']) {
      expect(seen[label], label).toBe(host[label]);
    }
  });

  test('without a pid namespace of its own sees its cgroup', async () => {
    const flags = ['--pid', 'host', '--cgroupns', 'host', '--memory', '80m'];
    await using container = await containers().docker(flags);
    expect(await memTotalMib(container)).toBe(80);
    const [uptime] = await container.uptime();
    const [host = 0] = (await readFile('/proc/uptime', 'utf8')).split(' ').map(Number);
    expect(Math.abs(uptime - host)).toBeLessThan(5 * patience);
  });
});

describe('a cgroup namespace', () => {
  for (const kind of ['private', 'host']) {
    test(`that is ${kind} changes nothing`, async () => {
      const flags = ['--cgroupns', kind, '--memory', '72m', '--cpus', '0.5'];
      await using container = await containers().docker(flags);
      expect(await memTotalMib(container)).toBe(72);
      expect(await container.processors()).toHaveLength(1);
    });
  }
});

describe('nested cgroups', () => {
  for (const kind of ['private', 'host']) {
    test(`below the container's have no say (${kind} namespace)`, async () => {
      await using container = await containers().docker(['--cgroupns', kind, '--memory', '96m']);
      await using reader = container.python(readWhenTold);
      await reader.next();
      const first = await container.pid();
      const cgroup = await ProcessCgroup.of(first);
      const others = (await cgroup.pids()).filter((pid) => pid !== first);
      expect(others).toHaveLength(1);
      await cgroup.moveToChild('nested', 32 * mebibyte, others);

      reader.go();
      expect(parseMemInfo(await reader.next<string>())['MemTotal']).toBe(96 * kibPerMebibyte);
    });
  }

  for (const kind of ['private', 'host']) {
    test(`called init.scope have no say, with process 1 in one (${kind} namespace)`, async () => {
      await using container = await containers().docker(['--cgroupns', kind, '--memory', '96m']);
      const first = await container.pid();
      await (await ProcessCgroup.of(first)).moveToChild('init.scope', 32 * mebibyte, [first]);
      expect(await memTotalMib(container)).toBe(96);
    });
  }

  test("above the container's count when they are narrower", async () => {
    await using parent = await ParentCgroup.create({ memoryBytes: 40 * mebibyte, cpus: 0.5 });
    await using container = await containers().docker(['--cgroup-parent', parent.path]);
    expect(await memTotalMib(container)).toBe(40);
    expect(await container.processors()).toHaveLength(1);
  });

  test("above the container's have no say when they are wider", async () => {
    await using parent = await ParentCgroup.create({ memoryBytes: 640 * mebibyte, cpus: 1 });
    const flags = ['--cgroup-parent', parent.path, '--memory', '56m'];
    await using container = await containers().docker(flags);
    expect(await memTotalMib(container)).toBe(56);
  });
});

describe('containers that share a pid namespace', () => {
  for (const kind of ['private', 'host']) {
    test(`see each its own limits (${kind} cgroup namespaces)`, async () => {
      const own = ['--cgroupns', kind];
      await using pause = await containers().docker([...own, '--memory', '16m']);
      const pod = [...own, '--pid', `container:${pause.name}`];
      await using app = await containers().docker([...pod, '--memory', '112m', '--cpus', '1']);
      await using sidecar = await containers().docker([...pod, '--memory', '24m']);
      expect(await memTotalMib(app)).toBe(112);
      expect(await memTotalMib(sidecar)).toBe(24);
      expect(await memTotalMib(pause)).toBe(16);
      expect(await app.processors()).toHaveLength(1);
      expect(await sidecar.processors()).toEqual(await pause.processors());
    });
  }
});

describe('a first process with an unusual name', () => {
  for (const name of ['npm start', 'a) b', 'x) R 0 (', ') ) 1 2 3']) {
    test(`"${name}" has an uptime`, async () => {
      const rename = `printf '%s' '${name}' >/proc/self/comm; while :; do sleep 60; done`;
      await using container = await containers().docker([], ['/busybox', 'sh', '-c', rename]);
      await expect.poll(() => container.read('/proc/1/comm')).toBe(`${name}\n`);
      const [uptime, idle] = await container.uptime();
      expect(uptime).toBeGreaterThan(0);
      expect(uptime).toBeLessThan(60);
      expect(idle).toBeGreaterThanOrEqual(0);
      expect(await container.read('/proc/loadavg')).toMatch(/^\d+\.\d\d /);
    });
  }
});

describe('a container of runc', () => {
  for (const cgroupNamespace of [false, true]) {
    const kind = cgroupNamespace ? 'private' : 'host';
    test(`sees its limits (${kind} cgroup namespace)`, async () => {
      const runc = await containers().runc();
      const limits = { memoryBytes: 256 * mebibyte, cpus: 0.5, cpuset: '0' };
      await using container = await runc.start({ ...limits, cgroupNamespace });
      expect(await memTotalMib(container)).toBe(256);
      expect(await container.processors()).toEqual([0]);
      expect((await container.uptime())[0]).toBeLessThan(60);
      await using unlimited = await runc.start({ cgroupNamespace });
      const host = parseMemInfo(await readFile('/proc/meminfo', 'utf8'));
      expect((await unlimited.memInfo())['MemTotal']).toBe(host['MemTotal']);
    });
  }
});

describe('a user namespace', () => {
  test('changes nothing but who root is', async () => {
    const runc = await containers().runc();
    await using container = await runc.start({
      memoryBytes: 52 * mebibyte,
      cpus: 0.5,
      userNamespace: true,
    });
    expect(await container.output('id', '-u')).toBe('0\n');
    expect(await container.read('/proc/self/uid_map')).toMatch(/^ +0 +[1-9]/);
    expect(await memTotalMib(container)).toBe(52);
    expect(await container.processors()).toHaveLength(1);
    expect((await container.uptime())[0]).toBeLessThan(60);
    const slabinfo = await container.run('cat', '/proc/slabinfo');
    expect(slabinfo).toMatchObject({ stdout: '', stderr: expect.stringMatching(/denied/) });
  });
});

describe('a time namespace', () => {
  test('changes no uptime: a container is as old as it is', async () => {
    const may = ['--cap-add', 'SYS_ADMIN', '--cap-add', 'SYS_TIME'];
    const mayUnshare = [...may, '--security-opt', 'seccomp=unconfined'];
    await using container = await containers().docker(mayUnshare);
    const shifted = ['unshare', '--time', '--boottime', '500000', '--fork'];
    const text = await container.output(...shifted, 'cat', '/proc/uptime');
    expect(Number(text.split(' ')[0])).toBeLessThan(60);
  });
});

describe('start times of processes', () => {
  /** When a process of this moment was started: by btime and its own stat, less now. */
  const error = `
    now=$(date +%s); boot=$(sed -n 's/^btime //p' "$0/stat")
    ticks=$(sed 's/.*) //' /proc/self/stat | cut -d' ' -f20)
    echo $((boot + ticks / $(getconf CLK_TCK) - now))`;

  // The kernel refuses an offset that puts a namespace's boot before the host's.
  for (const [when, offset] of [
    ['ten days earlier', 864_000],
    ['later', -Math.floor(uptime() / 2)],
  ] as const) {
    test(`are right in a time namespace whose boot is ${when}`, async () => {
      await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
      const { tree } = containers().daemon;
      const shifted = ['--time', '--boottime', `${offset}`, '--fork', 'sh', '-c', error];
      const [command, args] = cgroup.contain('unshare', ...shifted, `${tree}/proc`);
      const { stdout, stderr } = await run(command, args);
      expect(stderr).toBe('');
      expect(Math.abs(Number(stdout))).toBeLessThan(5 * patience);
    });
  }
});

describe('slabinfo', () => {
  test('is for root only, who sees nothing of the host in it', async () => {
    await using container = await containers().docker();
    const nobody = await container.runAs(65_534, 'cat', '/proc/slabinfo');
    expect(nobody.code).not.toBe(0);
    expect(nobody).toMatchObject({ stdout: '', stderr: expect.stringMatching(/denied/) });
    expect(await container.output('stat', '-c', '%a %u', '/proc/slabinfo')).toBe('400 0\n');
    const lines = (await container.read('/proc/slabinfo')).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe('slabinfo - version: 2.1');
    expect(lines[1]).toMatch(/^# name /);
  });

  test('is a secret also where the host keeps files for root', async () => {
    await using container = await containers().docker();
    const find = `find /lensfs/sys -type f -perm 0400 | head -1`;
    const path = (await container.output('sh', '-c', find)).trim();
    if (path === '') return; // this host has none
    const nobody = await container.runAs(65_534, 'cat', path);
    expect(nobody).toMatchObject({ stdout: '', stderr: expect.stringMatching(/denied/) });
  });
});

describe('every answer', () => {
  test('is of the container that asked', async () => {
    await containers().expectNoFallback();
  });
});
