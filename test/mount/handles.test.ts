// SPDX-License-Identifier: Apache-2.0
// Many handles, handles that change hands, and many who read at once.
import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { allClosed, statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { PythonProcess, python } from '../_support/python.js';
import { waitUntil } from '../_support/wait.js';

const mib = 2 ** 20;

async function residentBytes(daemon: RunningDaemon): Promise<number> {
  const status = await readFile(`/proc/${await daemon.workerPid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

describe('with bytes made for each read', () => {
  const daemon = useDaemon('--set', 'freshness=0', '--set', 'handles.max=16384');

  test('twenty thousand open handles take bounded memory', async () => {
    const path = `${daemon().tree}/proc/vmstat`;
    await readFile(path);
    const before = await residentBytes(daemon());
    const script = `
      resource.setrlimit(resource.RLIMIT_NOFILE, (10100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
      fds = [os.open(args[0], os.O_RDONLY) for _ in range(10000)]
      heads = [os.read(fd, 10) for fd in fds]
      step(all(head.startswith(b'nr_') for head in heads))
      tails = [os.pread(fd, 1 << 16, 10) for fd in fds[::100]]
      reply(all(tail.endswith(b'\\n') and len(tail) > 1000 for tail in tails))
    `;
    await using first = new PythonProcess(script, { args: [path] });
    await using second = new PythonProcess(script, { args: [path] });
    expect([await first.next(), await second.next()]).toEqual([true, true]);
    expect((await statusOf(daemon())).handles).toBe(20_000);
    // 64 MiB of snapshots, and what the allocator needs for them.
    expect((await residentBytes(daemon())) - before).toBeLessThan(100 * mib);
    first.go();
    second.go();
    expect([await first.next(), await second.next()]).toEqual([true, true]);
    await allClosed(daemon());
  });

  test('a handle that is passed on shows its new reader its own values', async () => {
    await using small = await TestCgroup.create({ memoryBytes: 64 * mib });
    await using large = await TestCgroup.create({ memoryBytes: 128 * mib });
    const args = [`${daemon().tree}/proc/meminfo`, daemon().dir.at('passed.sock')];
    await using giver = new PythonProcess(
      `
      listener = socket.socket(socket.AF_UNIX)
      listener.bind(args[1])
      listener.listen()
      fds = [os.open(args[0], os.O_RDONLY) for _ in range(3)]
      heads = [os.read(fd, 10).decode() for fd in fds]
      step(heads)
      socket.send_fds(listener.accept()[0], [b'x'], fds)
      step()
      reply([os.pread(fd, 1 << 16, 10).decode() for fd in fds])
      `,
      { args, cgroup: small },
    );
    expect(await giver.next()).toEqual(['MemTotal: ', 'MemTotal: ', 'MemTotal: ']);
    await using taker = new PythonProcess(
      `
      connection = socket.socket(socket.AF_UNIX)
      connection.connect(args[1])
      _, fds, _, _ = socket.recv_fds(connection, 1, 3)
      reply([os.pread(fds[0], 1 << 16, 10).decode(), os.pread(fds[1], 1 << 16, 0)[10:].decode(),
             os.read(fds[2], 1 << 16).decode()])
      `,
      { args, cgroup: large },
    );
    giver.go();
    const own = (kib: number) =>
      expect.stringMatching(new RegExp(`^ +${kib} kB\nMemFree:`)) as string;
    expect(await taker.next()).toEqual(Array(3).fill(own(128 * 1024)));
    await giver.next();
    giver.go();
    // The third one's offset has moved, as the two share it; pread does not mind.
    expect(await giver.next()).toEqual(Array(3).fill(own(64 * 1024)));
  });

  test('a child in another container reads what it inherits as its own', async () => {
    await using parent = await TestCgroup.create({ memoryBytes: 64 * mib });
    await using child = await TestCgroup.create({ memoryBytes: 96 * mib });
    const heads = await python<string[]>(
      `
      fd = os.open(args[0], os.O_RDONLY)
      def head():
          return os.pread(fd, 100, 0).decode().split('\\n')[0]
      heads = [head()]
      assert libc.unshare(0x20000000) == 0  # CLONE_NEWPID, for the child
      pipe = os.pipe()
      if os.fork() == 0:
          for directory in args[1:]:
              open(directory + '/cgroup.procs', 'w').write('0')
          os.write(pipe[1], head().encode())
          os._exit(0)
      os.wait()
      reply(heads + [os.read(pipe[0], 100).decode(), head()])
      `,
      { args: [`${daemon().tree}/proc/meminfo`, ...child.directories], cgroup: parent },
    );
    const total = (kib: number) => `MemTotal:${String(kib).padStart(15)} kB`;
    expect(heads).toEqual([total(64 * 1024), total(96 * 1024), total(64 * 1024)]);
  });
});

describe('with bytes that are reused', () => {
  const daemon = useDaemon('--set', 'freshness=1s');

  test('ten who read one view at once cost one render', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    await using reader = new PythonProcess(
      `
      import threading
      barrier = threading.Barrier(10)
      texts = []
      def read():
          with open(args[0], 'rb', buffering=0) as file:
              barrier.wait()
              texts.append(os.pread(file.fileno(), 1 << 16, 0))
      threads = [threading.Thread(target=read) for _ in range(10)]
      step()
      for thread in threads:
          thread.start()
      for thread in threads:
          thread.join()
      reply([len(texts), len(set(texts))])
      `,
      { args: [`${daemon().tree}/proc/meminfo`], cgroup },
    );
    await reader.next();
    const before = await statusOf(daemon());
    reader.go();
    expect(await reader.next()).toEqual([10, 1]);
    const after = await statusOf(daemon());
    expect([after.reads - before.reads, after.renders - before.renders]).toEqual([10, 1]);
  });

  test('two views have nothing in common', async () => {
    await using small = await TestCgroup.create({ memoryBytes: 64 * mib });
    await using large = await TestCgroup.create({ memoryBytes: 128 * mib });
    const script = `reply(open(args[0]).readline())`;
    const args = [`${daemon().tree}/proc/meminfo`];
    const heads = await Promise.all(
      [small, large, small, large].map((cgroup) => python<string>(script, { args, cgroup })),
    );
    expect(heads.map((head) => Number(/\d+/.exec(head)?.[0]))).toEqual(
      [64, 128, 64, 128].map((size) => size * 1024),
    );
  });
});

test('eight reader threads answer sixteen clients', async () => {
  await using daemon = await RunningDaemon.start(['--set', 'readers=8', '--set', 'freshness=0']);
  const result = await python<{ reads: number; bad: string[] }>(
    `
    import threading
    reads, bad = [], set()
    end = time.monotonic() + 1.5
    def read(path, first):
        count = 0
        while time.monotonic() < end:
            with open(path, 'rb') as file:
                text = file.read()
            count += 1
            if not (text.startswith(first) and text.endswith(b'\\n')):
                bad.add(text.decode())
        reads.append(count)
    files = [('meminfo', b'MemTotal:'), ('stat', b'cpu  '), ('cpuinfo', b'processor'), ('vmstat', b'nr_')]
    threads = [threading.Thread(target=read, args=(args[0] + '/' + path, first))
               for path, first in files * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reply({'reads': sum(reads), 'bad': list(bad)})
    `,
    { args: [`${daemon.tree}/proc`] },
  );
  expect(result.bad).toEqual([]);
  expect(result.reads).toBeGreaterThan(100);
  await allClosed(daemon);
  expect((await daemon.command('stop')).code).toBe(0);
});

test('a daemon that is killed does not disturb another', async () => {
  await using first = await RunningDaemon.start();
  await using second = await RunningDaemon.start();
  await using reader = new PythonProcess(
    `
    fd = os.open(args[0] + '/proc/uptime', os.O_RDONLY)
    step(os.pread(fd, 100, 0).decode())
    step(os.pread(fd, 100, 0).decode())
    `,
    { args: [second.tree] },
  );
  expect(await reader.next()).toMatch(/^\d/);
  const worker = await first.workerPid();
  first.child.kill('SIGKILL'); // the keeper first, who would start another worker
  process.kill(worker, 'SIGKILL');
  await first.exited;
  await waitUntil('the first is gone', async () => {
    return await readFile(`${first.tree}/proc/uptime`).then(
      () => false,
      () => true,
    );
  });
  reader.go();
  expect(await reader.next()).toMatch(/^\d/);
  expect((await statusOf(second)).handles).toBeGreaterThan(0);
});
