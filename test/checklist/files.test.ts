// SPDX-License-Identifier: Apache-2.0
// The checklist of value bugs that LXCFS has had, uptime, loadavg and the small files: points 21 to
// 32, and 38 and 39, which need no mount.
import { describe, expect, test } from 'vitest';
import { CapturedHost } from '../_support/captured-hosts.js';
import { Specimen } from '../_support/specimen.js';
import { core } from '../_support/testing-addon.js';
import { waitUntil } from '../_support/wait.js';

/** Age and idle time in hundredths of a second: exact, unlike a fraction. */
function uptimeOf(specimen: Specimen): [number, number] {
  const [age = Number.NaN, idle = Number.NaN] = specimen
    .read('proc/uptime')
    .split(' ')
    .map((number) => Math.round(Number(number) * 100));
  return [age, idle];
}

/** Rewrites fields of the stat of the first process: its name, or the 22nd, its start time. */
async function setStat(
  specimen: Specimen,
  { comm = 'sh', startTicks = 500 }: { comm?: string; startTicks?: number },
): Promise<void> {
  const path = `proc/${specimen.pid}/stat`;
  const text = await specimen.host.tree.read(path);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  fields[22 - 3] = `${startTicks}`;
  await specimen.host.tree.write(path, `${specimen.pid} (${comm}) ${fields.join(' ')}`);
}

describe('uptime', () => {
  test('(21) survives a comm with blanks and parentheses', async () => {
    await using v2 = await Specimen.unpack('v2');
    const nowTicks = Number(v2.host.uptimeUsec / 10_000n);
    for (const comm of ['npm start', 'a) b', ') S 1 1 1 (', '(((', 'x) R 0 0 0 0 0']) {
      await setStat(v2, { comm, startTicks: 1234 });
      expect(uptimeOf(v2)[0], comm).toBe(nowTicks - 1234);
    }
  });

  test('(22) has the idle time of all CPUs, at least 0', async () => {
    await using v2 = await Specimen.unpack('v2');
    await setStat(v2, { startTicks: 500 });
    await v2.setCgroup({
      'cpuset.cpus.effective': '0-3',
      'cpu.max': '300000 100000',
      'cpu.stat': 'user_usec 6000000\nsystem_usec 1000000\nthrottled_usec 0',
    });
    const [age, idle] = uptimeOf(v2);
    expect(Math.abs(idle - (3 * age - 700))).toBeLessThanOrEqual(3);
    await v2.setCgroup({ 'cpu.stat': 'user_usec 990000000\nsystem_usec 0\nthrottled_usec 0' });
    expect(uptimeOf(v2)[1]).toBe(0);
  });

  test('(23) is 0 for a start that a clock puts into the future, as restoring can', async () => {
    await using v2 = await Specimen.unpack('v2');
    await setStat(v2, { startTicks: Number(v2.host.uptimeUsec / 10_000n) + 5000 });
    expect(v2.read('proc/uptime')).toBe('0.00 0.00\n');
    expect(v2.stat().cpus['cpu']?.idle).toBe(0);
  });
});

describe('loadavg', () => {
  interface Task {
    state: string;
    /** Its pids, the host's first. */
    pids: number[];
  }

  /** Puts tasks into a cgroup of the captured host. */
  async function addTasks(host: CapturedHost, directory: string, tasks: readonly Task[]) {
    const ids = tasks.map(({ pids }) => pids[0] ?? 0);
    await host.tree.write(`${directory}/cgroup.threads`, ids.map((id) => `${id}\n`).join(''));
    for (const { state, pids } of tasks) {
      const zeros = '0 '.repeat(40);
      await host.tree.write(`proc/${pids[0]}/stat`, `${pids[0]} (task) ${state} ${zeros}\n`);
      await host.tree.write(`proc/${pids[0]}/status`, `Name:\ttask\nNSpid:\t${pids.join('\t')}\n`);
    }
  }

  function tasksOf(loadavg: string): { running: number; total: number; lastPid: number } {
    const [, running, total, lastPid] = /^(?:\S+ ){3}(\d+)\/(\d+) (\d+)\n$/.exec(loadavg) ?? [];
    return { running: Number(running), total: Number(total), lastPid: Number(lastPid) };
  }

  test('(24) counts tasks of descendants at any depth', async () => {
    await using v2 = await Specimen.unpack('v2');
    const directory = v2.cgroupFile('pids').replace(/\/pids$/, '');
    const before = tasksOf(v2.read('proc/loadavg')).running;
    const deep = `${directory}/${'user.slice/a/b/c/d/e/f/g/h/'.repeat(3)}app.service`;
    await addTasks(v2.host, deep, [
      { state: 'R', pids: [4001, 31] },
      { state: 'D', pids: [4002, 32] },
      { state: 'S', pids: [4003, 33] },
    ]);
    expect(tasksOf(v2.read('proc/loadavg')).running).toBe(before + 2);
    expect(v2.stat().others).toMatchObject({ procs_running: before + 1, procs_blocked: 1 });
  });

  test('(25) goes by wall time: what was missed is made up for', () => {
    const start = core.advanceLoadAverage([2048, 2048, 2048], 0, 0).fixed;
    let stepwise = start;
    for (let period = 0; period < 12; period += 1) {
      stepwise = core.advanceLoadAverage(stepwise, 3, 1).fixed;
    }
    expect(core.advanceLoadAverage(start, 3, 12).fixed).toEqual(stepwise);
    // One minute: what it was has faded to 1/e of its weight.
    const [load1] = core.advanceLoadAverage([2048, 2048, 2048], 0, 12).hundredths;
    expect(load1).toBe(37n);
  });

  test('(26) names the last pid as the container sees it', async () => {
    await using v2 = await Specimen.unpack('v2');
    const directory = `${v2.cgroupFile('pids').replace(/\/pids$/, '')}/child`;
    await addTasks(v2.host, directory, [{ state: 'S', pids: [40_123, 77] }]);
    const engine = v2.host.engine();
    const lastPid = () => tasksOf(engine.read('proc/loadavg', v2.pid)).lastPid;
    expect(lastPid()).toBe(77);
    // Another task gets its id.
    await addTasks(v2.host, directory, [{ state: 'S', pids: [40_123, 78] }]);
    const fields = `(task) S ${'0 '.repeat(18)}4711 ${'0 '.repeat(20)}`;
    await v2.host.tree.write('proc/40123/stat', `40123 ${fields}\n`);
    await waitUntil('its number is asked for', async () => lastPid() !== 77);
    expect(lastPid()).toBe(78);
  });

  test('(27) begins with the CPUs that were busy, not with 0.00', async () => {
    await using v2 = await Specimen.unpack('v2');
    const nowTicks = Number(v2.host.uptimeUsec / 10_000n);
    await setStat(v2, { startTicks: nowTicks - 2000 });
    await v2.setCgroup({ 'cpu.stat': 'user_usec 9000000\nsystem_usec 1000000' });
    expect(v2.read('proc/loadavg')).toMatch(/^0\.50 0\.50 0\.50 /);
  });

  test('(28) counts the threads of threaded cgroups', async () => {
    await using host = await CapturedHost.unpack('v2-systemd-4cpu-swap');
    const pid = 276; // threads of 424 are in "idle" and, one of them running, in "busy"
    const root = `cgroup${host.engine().cgroup(pid)}`;
    const [busy = '', other = ''] = (await host.tree.read(`${root}/busy/cgroup.threads`)).split(
      '\n',
    );
    await addTasks(host, `${root}/busy`, [
      { state: 'R', pids: [Number(busy), 12] },
      { state: 'S', pids: [Number(other), 13] },
    ]);
    const { running, total } = tasksOf(host.engine().read('proc/loadavg', pid));
    expect(running).toBe(1);
    expect(total).toBe(Number(await host.tree.read(`${root}/pids.current`)));
  });
});

describe('the small files', () => {
  test('(29) diskstats has the io.stat of the container', async () => {
    await using v2 = await Specimen.unpack('v2');
    const lines = (await v2.host.tree.read('proc/diskstats')).split('\n');
    const [, major, minor, name] = /^ *(\d+) +(\d+) (vda) /m.exec(lines.join('\n')) ?? [];
    await v2.setCgroup({
      'io.stat': `${major}:${minor} rbytes=8192 wbytes=4096 rios=2 wios=1 dbytes=0 dios=0`,
    });
    const columns = () =>
      (/^.* vda .*$/m.exec(v2.read('proc/diskstats'))?.[0] ?? '').trim().split(/ +/);
    expect(columns().slice(0, 10)).toEqual(
      [major, minor, name, 2, 0, 16, 0, 1, 0, 8].map((column) => `${column}`),
    );
    await v2.setCgroup({ 'io.stat': '' });
    expect(columns().slice(3)).toEqual(columns().slice(3).fill('0'));
    expect(v2.read('proc/diskstats').split('\n')).toHaveLength(lines.length);
  });

  test('(30) pressure/io is of the container, as cpu and memory are', async () => {
    await using v2 = await Specimen.unpack('v2');
    for (const [kind, total] of [
      ['cpu', 11],
      ['memory', 22],
      ['io', 33],
    ] as const) {
      const text = `some avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\n`;
      await v2.setCgroup({ [`${kind}.pressure`]: text });
      expect(v2.read(`proc/pressure/${kind}`)).toBe(text);
    }
  });

  test('(31) slabinfo is a header, and a secret', async () => {
    for (const version of ['v2', 'v1'] as const) {
      await using specimen = await Specimen.unpack(version);
      const text = specimen.read('proc/slabinfo');
      expect(text).toMatch(/^slabinfo - version: 2\.1\n# name [^\n]*\n$/);
      expect(specimen.read('proc/slabinfo', {}, 1)).toBe(text);
    }
  });

  test('(32) diskstats keeps the columns of the host and their widths', async () => {
    await using v2 = await Specimen.unpack('v2');
    const [host = ''] = /^.* vda .*$/m.exec(await v2.host.tree.read('proc/diskstats')) ?? [];
    const [line = ''] = /^.* vda .*$/m.exec(v2.read('proc/diskstats')) ?? [];
    expect(line).toMatch(/^ *\d+ {1,7}\d+ vda(?: \d+){17}$/);
    expect(line.indexOf('vda')).toBe(host.indexOf('vda'));
    expect(line.trim().split(/ +/)).toHaveLength(host.trim().split(/ +/).length);
  });
});

describe('every file', () => {
  test('(38) comes to an end for a cgroup however deep', async () => {
    await using v2 = await Specimen.unpack('v2');
    const root = (await v2.host.tree.read(`proc/${v2.pid}/cgroup`)).trim().slice('0::'.length);
    const deep = `${root}${'/level'.repeat(200)}`;
    await v2.host.tree.write(`cgroup${deep}/cgroup.procs`, `${v2.pid}\n`);
    await v2.host.tree.write(`proc/${v2.pid}/cgroup`, `0::${deep}\n`);
    const engine = v2.host.engine();
    for (const file of engine.files()) {
      if (!file.endsWith('/offline')) expect(engine.read(file, v2.pid), file).toBeDefined();
    }
    expect(v2.memInfo()['MemTotal']).toBe(64 * 1024);
    expect(v2.processors()).toEqual([0]);
  });

  test('(39) needs no personality', async () => {
    await using v2 = await Specimen.unpack('v2');
    const before = v2.read('proc/cpuinfo');
    await v2.host.tree.remove(`proc/${v2.pid}/personality`);
    expect(v2.read('proc/cpuinfo')).toBe(before);
    await v2.host.tree.write(`proc/${v2.pid}/personality`, 'not a number\n');
    expect(v2.read('proc/cpuinfo')).toBe(before);
    for (const file of v2.host.engine().files()) expect(() => v2.read(file)).not.toThrow();
  });
});
