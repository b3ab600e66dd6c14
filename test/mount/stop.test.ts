// SPDX-License-Identifier: Apache-2.0
// The end of a mount: with readers inside, after a crash, and where another one is.
import { closeSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { openEngine } from '../../src/daemon/engine.js';
import { mountConnections, unmountConnections } from '../../src/daemon/mount.js';
import { makeMemory } from '../../src/native/process.js';
import { expectDaemonMounts } from '../_support/expect-mounts.js';
import { lensfs, RunningDaemon, run } from '../_support/lensfs.js';
import { mountTest as test } from '../_support/mounted.js';
import { mountsIn } from '../_support/mounts.js';
import { PythonProcess, python } from '../_support/python.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

/** Names of the threads of a process that are ours. */
async function threadsOf(pid: number | 'self' = 'self'): Promise<string[]> {
  const names: string[] = [];
  for (const tid of await readdir(`/proc/${pid}/task`)) {
    names.push((await readFile(`/proc/${pid}/task/${tid}/comm`, 'utf8')).trim());
  }
  return names.filter((name) => name.startsWith('lensfs-')).sort();
}

test('an engine that stops has no thread left, and can be mounted by the next', async () => {
  await using dir = await TempDir.create();
  for (const readers of [1, 8]) {
    const sets = [`readers=${readers}`, 'transport=classic'];
    const parsed = await loadConfig({ file: undefined, values: {}, sets });
    if (!parsed.ok) throw new Error('The configuration is wrong');
    await using engine = openEngine(parsed.config);
    const connections = await mountConnections({ ...parsed.config, run_dir: dir.at('run') });
    const [shared, tree] = [dir.at('run/mnt/shared'), dir.at('tree')];
    const others = { journal: makeMemory('test'), config: 0, control: 0, tree: 0 };
    engine.serve({ kept: { ...connections, ...others }, tree, shared }, () => {});
    // One more is the pinned tree's.
    const all = [
      ...Array(readers + 1).fill('lensfs-reader'),
      ...['lensfs-ticker', 'lensfs-watch', 'lensfs-watch'],
    ];
    // A thread gives itself its name.
    await waitUntil('the threads run', async () => `${await threadsOf()}` === `${all}`);
    expect(await readFile(`${shared}/proc/uptime`, 'utf8')).toMatch(/^\d/);
    await Promise.all([engine.stop(), engine.stop()]);
    await engine.stop();
    expect(await threadsOf()).toEqual([]);
    await unmountConnections(dir.at('run'));
    expect(await mountsIn(dir.path)).toEqual([]);
    expect(await readdir(dir.at('run'))).toEqual([]);
    for (const fd of [connections.shared, connections.pinned, others.journal]) closeSync(fd);
  }
});

test('stops with open handles and working directories inside', async () => {
  await using daemon = await RunningDaemon.start();
  await using reader = new PythonProcess(
    `
    os.chdir(args[0] + '/proc/pressure')
    fds = [os.open('../stat', os.O_RDONLY) for _ in range(100)]
    texts = [os.read(fd, 100) for fd in fds]
    step()
    reply([error_of(os.read, fds[0], 1), error_of(os.pread, fds[1], 100, 0),
           error_of(os.open, 'cpu', 0), error_of(os.listdir, '.')])
    `,
    { args: [`${daemon.runDir}/mnt/shared`] },
  );
  await reader.next();
  expect((await daemon.command('stop')).code).toBe(0);
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  expect(await mountsIn(daemon.dir.path)).toEqual([]);
  reader.go();
  expect(await reader.next()).toEqual(Array(4).fill('ENOTCONN'));
  expect(await reader.exited).toBe(0);
});

test('stops while many read, and none of them hangs', async () => {
  await using daemon = await RunningDaemon.start(['--set', 'readers=4', '--set', 'freshness=0']);
  await using reader = new PythonProcess(
    `
    import threading
    seen = set()
    def read():
        while True:
            try:
                with open(args[0], 'rb') as file:
                    file.read()
            except OSError as error:
                seen.add(errno.errorcode[error.errno])
                return
    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    reply('reading')
    for thread in threads:
        thread.join()
    reply(sorted(seen))
    `,
    { args: [`${daemon.tree}/proc/stat`] },
  );
  await reader.next();
  daemon.child.kill('SIGTERM');
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  const seen = await reader.next<string[]>();
  expect(seen.filter((code) => !/^(ENOENT|ENOTCONN|ECONNABORTED)$/.test(code))).toEqual([]);
  expect(await reader.exited).toBe(0);
});

test('clears the mounts of dead predecessors, one on the other and in use', async () => {
  await using dir = await TempDir.create();
  await using killed = await RunningDaemon.start([], { dir });
  const shared = `${killed.runDir}/mnt/shared`;
  const worker = await killed.workerPid();
  await using reader = new PythonProcess(
    `
    os.chdir(args[0])
    fd = os.open('stat', os.O_RDONLY)
    os.read(fd, 10)
    step()
    reply([error_of(os.pread, fd, 10, 0), error_of(os.listdir, '.')])
    `,
    { args: [`${shared}/proc`] },
  );
  await reader.next();
  killed.child.kill('SIGKILL');
  process.kill(worker, 'SIGKILL');
  await killed.exited;
  await python(
    `
    fd = os.open('/dev/fuse', os.O_RDWR)
    options = f'fd={fd},rootmode=40755,user_id=0,group_id=0'
    reply(libc.mount(b'lensfs', args[0].encode(), b'fuse.lensfs', 1, options.encode()))
    `,
    { args: [shared] },
  );
  expect(await mountsIn(shared)).toEqual(['fuse.lensfs', 'fuse.lensfs']);

  await using next = await RunningDaemon.start([], { dir });
  await expectDaemonMounts(next);
  expect(await readFile(`${next.tree}/proc/uptime`, 'utf8')).toMatch(/^\d/);
  reader.go();
  expect(await reader.next()).toEqual(['ENOTCONN', 'ENOTCONN']);
});

test('leaves a mount point alone that something else is mounted on', async () => {
  await using dir = await TempDir.create();
  const tree = dir.at('tree');
  await mkdir(tree);
  expect((await run('mount', ['-t', 'tmpfs', 'none', tree])).code).toBe(0);
  try {
    const { code, stderr } = await lensfs(['serve', '--tree', tree, '--run-dir', dir.at('run')]);
    expect(code).toBe(1);
    expect(stderr).toContain(`lensfs: Something is mounted on "${tree}"`);
    expect(await mountsIn(dir.path)).toEqual(['tmpfs']);
    expect(await readdir(dir.at('run'))).toEqual([]);
  } finally {
    await run('umount', [tree]);
  }
});
