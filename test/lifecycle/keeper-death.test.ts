// SPDX-License-Identifier: Apache-2.0
// The keeper dies: alone, and with its worker.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients } from '../_support/clients.js';
import { expectDaemonMounts } from '../_support/expect-mounts.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { mountsIn } from '../_support/mounts.js';
import { PythonProcess } from '../_support/python.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

test('a worker whose keeper is killed serves on, and the next keeper takes over', async () => {
  await using dir = await TempDir.create();
  await using orphaned = await RunningDaemon.start([], { dir });
  await using clients = await Clients.start([`${orphaned.tree}/proc/meminfo`]);
  const worker = await orphaned.workerPid();
  orphaned.child.kill('SIGKILL');
  await orphaned.logged('The keeper is dead, serving on: start lensfs again');
  expect(await statusOf(orphaned)).toMatchObject({ workerPid: worker, orphaned: true });

  await using next = await RunningDaemon.start([], { dir });
  await next.logged('Taking over from a keeper that is dead');
  await waitUntil('the orphan has gone', () => !existsSync(`/proc/${worker}`));
  await clients.finish('keeper kill -9, takeover');
  expect(await statusOf(next)).toMatchObject({ orphaned: false, layers: 2 });
  await expectDaemonMounts(next);
  expect((await next.command('stop')).code).toBe(0);
  expect(await mountsIn(dir.path)).toEqual([]);
});

test('a worker whose keeper is killed can be stopped, and one that waited for its turn ends', async () => {
  await using orphaned = await RunningDaemon.start(['--set', 'standby=on']);
  const worker = (await statusOf(orphaned)).workerPid;
  const waiting = async () => await orphaned.workerPid(); // the last one that was started
  await waitUntil('a second worker is there', async () => (await waiting()) !== worker);
  const second = await waiting();
  orphaned.child.kill('SIGKILL');
  await orphaned.logged('The keeper is dead, serving on: start lensfs again');
  await waitUntil('the second worker has gone', () => !existsSync(`/proc/${second}`));
  process.kill(worker, 'SIGTERM');
  await waitUntil('the worker has gone', () => !existsSync(`/proc/${worker}`));
  expect(await mountsIn(orphaned.dir.path)).toEqual([]);
});

// What a container runtime does for "-v FILE:/proc/meminfo:ro,rslave", in mount namespaces of their own.
const container = `
def bind(propagation):
    libc.unshare(0x00020000)
    MS_BIND, MS_REC, MS_PRIVATE, MS_SLAVE = 4096, 16384, 1 << 18, 1 << 19
    libc.mount(b'none', b'/', None, MS_REC | MS_SLAVE, None)
    source = args[0].encode()
    assert libc.mount(source, b'/proc/meminfo', None, MS_BIND | MS_REC, None) == 0
    flag = MS_SLAVE if propagation == 'rslave' else MS_PRIVATE
    assert libc.mount(b'none', b'/proc/meminfo', None, MS_REC | flag, None) == 0
def read():
    try:
        return open('/proc/meminfo').readline()
    except OSError as error:
        return errno.errorcode[error.errno]
bind(args[1])
while True:
    step(read())
`;

test('containers have their values from a new daemon when both are killed, also where they do not follow', async () => {
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  await using dir = await TempDir.create();
  await using killed = await RunningDaemon.start([], { dir });
  const meminfo = `${killed.tree}/proc/meminfo`;
  const start = (propagation: string) =>
    new PythonProcess(container, { args: [meminfo, propagation], cgroup });
  await using follower = start('rslave');
  await using other = start('private');
  const own = expect.stringMatching(/^MemTotal: +65536 kB\n$/);
  expect(await follower.next()).toEqual(own);
  expect(await other.next()).toEqual(own);

  const worker = await killed.workerPid();
  killed.child.kill('SIGKILL');
  process.kill(worker, 'SIGKILL');
  await killed.exited;
  await waitUntil('the connection is gone', async () => {
    follower.go();
    return (await follower.next()) === 'ENOTCONN';
  });
  await using next = await RunningDaemon.start([], { dir });
  follower.go();
  expect(await follower.next()).toEqual(own);
  await waitUntil('the next daemon has renewed what does not follow', async () => {
    other.go();
    return /^MemTotal: +65536 kB\n$/.test(await other.next());
  });
  expect((await statusOf(next)).layers).toBe(3);
});

test('containers have the host’s values when lensfs is stopped', async () => {
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  await using daemon = await RunningDaemon.start();
  const args = [`${daemon.tree}/proc/meminfo`, 'rslave'];
  await using follower = new PythonProcess(container, { args, cgroup });
  expect(await follower.next()).toMatch(/ 65536 kB/);
  expect((await daemon.command('stop')).code).toBe(0);
  expect(await mountsIn(daemon.dir.path)).toEqual([]);
  follower.go();
  const [hostTotal] = (await readFile('/proc/meminfo', 'utf8')).split('\n');
  expect(await follower.next()).toBe(`${hostTotal}\n`);
});
