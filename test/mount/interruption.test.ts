// SPDX-License-Identifier: Apache-2.0
// Readers that are interrupted or killed in the middle of a request.
import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import type { RunningDaemon } from '../_support/lensfs.js';
import { allClosed, statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { PythonProcess, python } from '../_support/python.js';
import { waitUntil } from '../_support/wait.js';

const daemon = useDaemon('--set', 'freshness=0');

/** Opens, reads and closes for ever, on several threads. */
const readForEver = `
  import threading
  def read():
      while True:
          for path in args:
              with open(path, 'rb', buffering=0) as file:
                  file.read(100)
                  os.pread(file.fileno(), 1 << 16, 0)
  for _ in range(4):
      threading.Thread(target=read, daemon=True).start()
  step('reading')
`;

async function descriptors(daemon: RunningDaemon): Promise<number> {
  return (await readdir(`/proc/${await daemon.workerPid()}/fd`)).length;
}

test('readers that are killed leave no handle, and end at once', async () => {
  await readFile(`${daemon().tree}/proc/stat`);
  const before = await descriptors(daemon());
  const signals = await python<number[]>(
    `
    import random
    def read_for_ever():
        while True:
            for path in args:
                with open(path, 'rb', buffering=0) as file:
                    file.read(100)
                    os.pread(file.fileno(), 1 << 16, 0)
    def start():
        return os.fork() or read_for_ever()
    signals = set()
    for _ in range(100):
        children = [start() for _ in range(4)]
        time.sleep(random.uniform(0, 0.01))
        for child in children:
            os.kill(child, signal.SIGKILL)
        signals.update(os.waitpid(child, 0)[1] for child in children)
    reply(sorted(signals))
    `,
    { args: ['stat', 'meminfo', 'cpuinfo', 'diskstats'].map((f) => `${daemon().tree}/proc/${f}`) },
  );
  expect(signals).toEqual([9]);
  await allClosed(daemon());
  expect(
    (await statusOf(daemon())).fallbacks.filter(({ cause }) => cause !== 'caller-unknown'),
  ).toEqual([]);
  // Pidfds of callers are kept until the next tick.
  await waitUntil('descriptors are given back', async () => {
    return (await descriptors(daemon())) < before + 30;
  });
});

test('a container whose processes are killed while they read leaves nothing', async () => {
  for (let round = 0; round < 10; ++round) {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
    await using reader = new PythonProcess(readForEver, {
      args: [`${daemon().tree}/proc/stat`, `${daemon().tree}/proc/meminfo`],
      cgroup,
    });
    await reader.next();
    reader.child.kill('SIGKILL');
    await reader.exited;
  }
  await allClosed(daemon());
  expect(await readFile(`${daemon().tree}/proc/meminfo`, 'utf8')).toMatch(/^MemTotal:/);
});

test('a reader that is interrupted all the time misses nothing', async () => {
  const { reads, signals, bad } = await python<Record<string, number>>(
    `
    signals = 0
    def count(*_):
        global signals
        signals += 1
    signal.signal(signal.SIGALRM, count)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    reads, bad, end = 0, 0, time.monotonic() + 2
    while time.monotonic() < end:
        with open(args[0], 'rb') as file:
            text = file.read()
        reads += 1
        bad += not (text.startswith(b'cpu  ') and text.endswith(b'\\n') and b'softirq' in text)
    signal.setitimer(signal.ITIMER_REAL, 0)
    reply({'reads': reads, 'signals': signals, 'bad': bad})
    `,
    { args: [`${daemon().tree}/proc/stat`] },
  );
  expect(bad).toBe(0);
  expect(reads).toBeGreaterThan(50);
  expect(signals).toBeGreaterThan(50);
  await allClosed(daemon());
});

// An interrupted request is answered like any other; the kernel then throws the answer away.
test('opens and reads that a signal may end say EINTR or succeed', async () => {
  const outcomes = await python<string[]>(
    `
    import threading
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.siginterrupt(signal.SIGUSR1, True)
    raw_open = libc.open
    main, stop = threading.main_thread().ident, threading.Event()
    def disturb():
        while not stop.is_set():
            signal.pthread_kill(main, signal.SIGUSR1)
    threading.Thread(target=disturb).start()
    outcomes, buffer = set(), ctypes.create_string_buffer(4096)
    end = time.monotonic() + 1
    while time.monotonic() < end:
        fd = raw_open(args[0].encode(), os.O_RDONLY)
        if fd < 0:
            outcomes.add('open ' + errno.errorcode[ctypes.get_errno()])
            continue
        count = libc.read(fd, buffer, 4096)
        outcomes.add('read' if count > 0 else 'read ' + errno.errorcode[ctypes.get_errno()])
        libc.close(fd)
    stop.set()
    reply(sorted(outcomes))
    `,
    { args: [`${daemon().tree}/proc/stat`] },
  );
  expect(outcomes).toContain('read');
  expect(outcomes.filter((outcome) => !/^(read|read EINTR|open EINTR)$/.test(outcome))).toEqual([]);
  await allClosed(daemon());
});
