// SPDX-License-Identifier: Apache-2.0
// A container's counters go on when a worker ends, whatever has happened to the container's limits.
import { cpus } from 'node:os';
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { PythonProcess } from '../_support/python.js';
import { testWith } from '../_support/requirements.js';
import { pinnedDirectoryOf } from '../_support/views.js';

const test = testWith(...mountRequirements, {
  met: () => cpus().length >= 2,
  missing: 'needs two CPUs',
});

// Reads at full speed in a container; tells of every number that went back.
const reader = `
import threading
lock, last, back, reads = threading.Lock(), {}, [], 0
def numbers(path):
    for line in open(path).read().splitlines():
        name, *columns = line.split()
        if path.endswith('uptime'):
            yield 'uptime', [float(name), *map(float, columns)]
        elif name.startswith('cpu'):
            yield name, [*map(int, columns)]
def client(path):
    global reads
    while True:
        for name, columns in numbers(path):
            key = path + ' ' + name
            with lock:
                reads += 1
                for column, (before, now) in enumerate(zip(last.get(key, columns), columns)):
                    if now < before:
                        back.append(f'{key} column {column}: {before} to {now}')
                last[key] = columns
for path in args:
    threading.Thread(target=client, args=(path,), daemon=True).start()
while True:
    with lock:
        told = {'reads': reads, 'back': back[:5]}
    step(told)
`;

interface Told {
  reads: number;
  back: string[];
}

test('no column of stat or uptime goes back over kill -9, with CPUs that come and go', async () => {
  await using cgroup = await TestCgroup.create({ cpus: 2 });
  await using daemon = await RunningDaemon.start(['--set', 'workers.deaths=1000000']);
  const pinned = await pinnedDirectoryOf(daemon, cgroup.path);
  const shared = ['stat', 'uptime'].map((name) => `${daemon.tree}/proc/${name}`);
  const args = [...shared, `${pinned}/proc/uptime`];
  await using clients = new PythonProcess(reader, { args, cgroup });
  // Two answers: the second was asked for when the first had been given.
  const look = async (): Promise<Told> => {
    await clients.next();
    clients.go();
    const told = await clients.next<Told>();
    clients.go();
    return told;
  };
  const readOn = async () => {
    const { reads } = await look();
    await expect.poll(async () => (await look()).reads).toBeGreaterThan(reads + 100);
  };
  // Idle and steal time that depend on how many CPUs there were, and when.
  for (let count = 1; count <= 8; ++count) {
    await cgroup.limit({ cpus: count % 2 === 0 ? 2 : 1 });
    await readOn();
    process.kill(await daemon.workerPid(), 'SIGKILL');
    await daemon.logged('Serving again', count);
    await readOn();
  }
  expect((await look()).back).toEqual([]);
}, 240_000);
