// SPDX-License-Identifier: Apache-2.0
// Containers that change while they are looked at: new limits, restarts, a death in mid-read.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { containerTest, containerTestWith, useContainers } from '../_support/containers.js';
import { DockerContainer } from '../_support/docker.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { allClosed, statusOf } from '../_support/mounted.js';
import { parseMemInfo } from '../_support/proc-text.js';
import type { PythonProcess } from '../_support/python.js';
import { twoCpus } from '../_support/requirements.js';
import type { Runc, RuncContainer } from '../_support/runc.js';
import { kibPerMebibyte } from '../_support/units.js';
import { waitUntil } from '../_support/wait.js';

const test = containerTest;
const testOnTwo = containerTestWith(twoCpus);
const containers = useContainers();

const soonSec = 1;

/** Replies with a value and the time whenever it changes. */
const watch = `
  def mem_total_mib():
      return int(open('/proc/meminfo').readline().split()[1]) // 1024
  def online_cpus():
      return os.sysconf('SC_NPROCESSORS_ONLN')
  def cpus_in_stat():
      return sum(line.startswith('cpu') for line in open('/proc/stat')) - 1
  previous = None
  while True:
      value = globals()[args[0]]()
      if value != previous:
          reply([value, time.clock_gettime(time.CLOCK_MONOTONIC)])
          previous = value
      time.sleep(0.01)
`;

/** On the clock of `watch`, which all processes of a machine share. */
function nowSec(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

describe('docker update', () => {
  async function expectSoon(watcher: PythonProcess, value: number, since: number): Promise<void> {
    const [seen, at] = await watcher.next<[number, number]>();
    expect(seen).toBe(value);
    expect(at - since).toBeLessThan(soonSec);
  }

  test('of memory is seen within a second', async () => {
    await using container = await containers().docker(['--memory', '64m', '--memory-swap', '400m']);
    await using watcher = container.python(watch, 'mem_total_mib');
    await expectSoon(watcher, 64, nowSec());
    for (const limit of [96, 48, 200]) {
      await container.update('--memory', `${limit}m`);
      await expectSoon(watcher, limit, nowSec());
    }
  });

  testOnTwo('of the quota is seen within a second', async () => {
    await using container = await containers().docker(['--cpus', '1']);
    await using watcher = container.python(watch, 'online_cpus');
    await expectSoon(watcher, 1, nowSec());
    await container.update('--cpus', '2');
    await expectSoon(watcher, 2, nowSec());
    await container.update('--cpus', '0.3');
    await expectSoon(watcher, 1, nowSec());
  });

  testOnTwo('of the set of CPUs is seen within a second', async () => {
    await using container = await containers().docker(['--cpuset-cpus', '0-1']);
    await using watcher = container.python(watch, 'cpus_in_stat');
    await expectSoon(watcher, 2, nowSec());
    await container.update('--cpuset-cpus', '1');
    await expectSoon(watcher, 1, nowSec());
    expect(await container.processors()).toEqual([1]);
  });
});

describe('docker restart', () => {
  test('begins a new uptime and new counters', async () => {
    const burnFirst = 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; exec sleep 1000000';
    const command = ['/busybox', 'sh', '-c', burnFirst];
    await using container = await containers().docker(['--cpus', '1', '--memory', '64m'], command);
    await expect.poll(async () => (await container.uptime())[0]).toBeGreaterThan(2);
    const before = { uptime: await container.uptime(), cpu: (await container.cpuLines())['cpu'] };

    const restartedAt = nowSec();
    await container.restart();
    const uptime = await container.uptime();
    const cpu = (await container.cpuLines())['cpu'];
    const ageSec = nowSec() - restartedAt;
    expect(uptime[0]).toBeLessThanOrEqual(ageSec);
    expect(uptime[1]).toBeLessThanOrEqual(ageSec);
    expect(cpu?.total).toBeLessThanOrEqual(ageSec * 100 + 1);
    expect(cpu?.total).toBeLessThan(before.cpu?.total ?? 0);
    expect((await container.memInfo())['MemTotal']).toBe(64 * kibPerMebibyte);

    const later = (await container.cpuLines())['cpu'];
    expect(later?.user).toBeGreaterThanOrEqual(cpu?.user ?? 0);
    expect(later?.idle).toBeGreaterThanOrEqual(cpu?.idle ?? 0);
  });
});

describe('a container that is killed', () => {
  /** Reads everything on several threads, for ever; what goes wrong is in a file of errors. */
  const readAll = `
import os, threading
paths = [os.path.join(root, name) for root, _, names in os.walk('/lensfs/proc') for name in names]
paths += ['/proc/' + name for name in ('meminfo', 'stat', 'cpuinfo', 'uptime', 'loadavg')]
paths += ['/sys/devices/system/cpu/online']
def read(path):
    with open(path, 'rb') as file:
        text = file.read()
    if not text:
        raise ValueError(path + ' is empty')
def loop():
    try:
        while True:
            for path in paths:
                read(path)
    except BaseException as error:
        with open('/shared/errors', 'a') as file:
            print(repr(error), file=file)
for _ in range(4):
    threading.Thread(target=loop).start()
for path in paths:
    read(path)
open('/shared/started', 'w')
`;

  async function startReaders(runc: Runc, shared: string): Promise<RuncContainer> {
    await mkdir(shared);
    return await runc.start({
      memoryBytes: 64 * 2 ** 20,
      cgroupNamespace: true,
      binds: [{ from: shared, to: '/shared' }],
      command: ['/usr/bin/python3', '-c', readAll],
    });
  }

  test('while it reads leaves nothing behind, and harms nobody', async () => {
    const { daemon } = containers();
    await using bystander = await containers().docker(['--memory', '88m']);
    const runc = await containers().runc();
    for (let round = 0; round < 8; round += 1) {
      const shared = daemon.dir.at(`killed-${round}`);
      await using container = await startReaders(runc, shared);
      await waitUntil('it reads', async () => (await readdir(shared)).includes('started'));
      await container.kill();
      expect(await readdir(shared)).not.toContain('errors');
    }
    await allClosed(daemon);
    expect((await bystander.memInfo())['MemTotal']).toBe(88 * kibPerMebibyte);
    expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([]);
    expect(daemon.otherLines).toEqual([]);
  });

  test('leaves an open file to whom it was given, who sees its own values in it', async () => {
    const { daemon } = containers();
    const shared = daemon.dir.at('given');
    await mkdir(shared);
    const runc = await containers().runc();
    const binds = [{ from: shared, to: '/shared' }];
    const receiver = ['/usr/bin/python3', '-c', receiveFile];
    const sender = ['/usr/bin/python3', '-c', sendFile];
    await using _receiver = await runc.start({
      memoryBytes: 72 * 2 ** 20,
      binds,
      command: receiver,
    });
    await waitUntil('it listens', async () => (await readdir(shared)).includes('socket'));
    const sending = await runc.start({ memoryBytes: 60 * 2 ** 20, binds, command: sender });
    const values = async () => await readFile(join(shared, 'values'), 'utf8').catch(() => '');
    await expect.poll(values).toBe('61440\n73728\n');
    await sending[Symbol.asyncDispose]();
    await writeFile(join(shared, 'gone'), '');
    await expect.poll(values).toBe('61440\n73728\n73728\n');
  });

  /** Both write the MemTotal that they read from the sender's descriptor. */
  const mayReadTotal = `
import os, socket, time
def write_total(fd):
    total = os.pread(fd, 100000, 0).split()[1].decode()
    with open('/shared/values', 'a') as file:
        print(total, file=file)
`;
  const receiveFile = `${mayReadTotal}
listener = socket.socket(socket.AF_UNIX)
listener.bind('/shared/socket')
listener.listen()
connection, _ = listener.accept()
_, (fd,), _, _ = socket.recv_fds(connection, 1, 1)
write_total(fd)
while not os.path.exists('/shared/gone'):
    time.sleep(0.01)
write_total(fd)
time.sleep(1000000)
`;
  const sendFile = `${mayReadTotal}
fd = os.open('/proc/meminfo', os.O_RDONLY)
write_total(fd)
connection = socket.socket(socket.AF_UNIX)
connection.connect('/shared/socket')
socket.send_fds(connection, [b'x'], [fd])
time.sleep(1000000)
`;
});

describe('a daemon that stops', () => {
  test('takes its files from a container, and nothing else', async () => {
    await using daemon = await RunningDaemon.start();
    await using container = await DockerContainer.start(daemon.tree, ['--memory', '64m']);
    expect((await container.memInfo())['MemTotal']).toBe(64 * kibPerMebibyte);
    expect((await daemon.command('stop')).code).toBe(0);
    const { MemTotal } = parseMemInfo(await readFile('/proc/meminfo', 'utf8'));
    expect((await container.memInfo())['MemTotal']).toBe(MemTotal);
    expect(await container.output('echo', 'alive')).toBe('alive\n');
  });
});

describe('every answer', () => {
  test('is of the container that asked, or its last when it was going away', async () => {
    const { fallbacks } = await statusOf(containers().daemon);
    expect(fallbacks.filter(({ cause }) => !/gone/i.test(cause))).toEqual([]);
  });
});
