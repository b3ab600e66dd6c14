// SPDX-License-Identifier: Apache-2.0
// Programs that wait for pressure are told of that of their own cgroup, by the kernel's own rules.
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import type { RunningDaemon } from '../_support/lensfs.js';
import { allClosed, statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { PythonProcess, python } from '../_support/python.js';

/** Enough of them that some always wait for a CPU. */
const busy = 'for i in range(8):\n    if os.fork() == 0:\n        while True: pass\n';

/** Has a `poller` of the file and trigger that are its arguments. */
const armed = `
file = os.open(args[0], os.O_RDWR | os.O_NONBLOCK)
os.write(file, args[1].encode())
poller = select.poll()
poller.register(file, select.POLLPRI)
`;

/** Says `written`, then what it is told, step by step. */
const watcher = `${armed}
step("written")
while True:
    began = time.monotonic()
    events = poller.poll(20000)
    step({"events": [event for _, event in events], "seconds": time.monotonic() - began})
`;

/** Half of the time: more than a program waits that starts while others keep all CPUs busy. */
const trigger = 'some 1000000 2000000';

interface Told {
  events: number[];
  seconds: number;
}

const pollPri = 2;
const pollErr = 8;

const daemon = useDaemon('--set', 'pressure.triggers=on');

function pressureOf(running: RunningDaemon, name: string): string {
  return `${running.tree}/proc/pressure/${name}`;
}

describe('a program that polls', () => {
  test('is told of the pressure of its own cgroup, again and again', async () => {
    await using pressed = await TestCgroup.create();
    await using calm = await TestCgroup.create();
    const args = [pressureOf(daemon(), 'cpu'), trigger];
    await using waits = new PythonProcess(`${armed}step("written")\nreply(poller.poll(0))`, {
      args,
      cgroup: calm,
    });
    expect(await waits.next()).toBe('written');
    await using told = new PythonProcess(`${busy}${watcher}`, { args, cgroup: pressed });
    expect(await told.next()).toBe('written');
    for (let count = 0; count < 4; ++count) {
      told.go();
      const { events, seconds } = await told.next<Told>();
      expect(events).toEqual([pollPri]);
      // At most one in each window, and one in each while it lasts.
      expect(seconds).toBeLessThan(10);
    }
    waits.go();
    expect(await waits.next()).toEqual([]);
  });

  test('is told what epoll and select would tell too, and can read the file meanwhile', async () => {
    await using pressed = await TestCgroup.create();
    const script = `${busy}
file = os.open(args[0], os.O_RDWR | os.O_NONBLOCK)
os.write(file, args[1].encode())
epoll = select.epoll()
epoll.register(file, select.EPOLLPRI)
first = [event for _, event in epoll.poll(20)]
text = os.pread(file, 4096, 0).decode()
second = select.select([], [], [file], 20)[2] == [file]
reply([first, text.split()[0], second])
`;
    const args = [pressureOf(daemon(), 'cpu'), trigger];
    expect(await python(script, { args, cgroup: pressed })).toEqual([[pollPri], 'some', true]);
  });

  for (const when of ['before it sleeps', 'while it sleeps'] as const) {
    test(`is told by the next worker when the one is killed ${when}`, async () => {
      await using pressed = await TestCgroup.create();
      const script = `${armed}
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
step("written")
if args[2] == "while it sleeps":
    reply(len(poller.poll(1)))
if os.fork() == 0:
    signal.sigwait([signal.SIGUSR1])
    ${busy.replaceAll('\n', '\n    ')}
    os._exit(0)
reply("sleeps")
reply([event for _, event in poller.poll(60000)])
`;
      const args = [pressureOf(daemon(), 'cpu'), trigger, when];
      await using waits = new PythonProcess(script, { args, cgroup: pressed });
      expect(await waits.next()).toBe('written');
      const served = (await statusOf(daemon())).workers;
      const kill = async () => {
        process.kill(await daemon().workerPid(), 'SIGKILL');
        await daemon().logged('Serving again', served);
      };
      if (when === 'before it sleeps') await kill();
      waits.go();
      if (when === 'while it sleeps') expect(await waits.next()).toBe(0);
      expect(await waits.next()).toBe('sleeps');
      if (when === 'while it sleeps') await kill();
      await python(
        `
        for pid in open(args[0]).read().split():
            if open(f"/proc/{pid}/comm").read() == "python3\\n":
                os.kill(int(pid), signal.SIGUSR1)
        reply(None)
        `,
        { args: [`${pressed.file('cpu', 'cgroup.procs')}`] },
      );
      expect(await waits.next()).toEqual([pollPri]);
    });
  }
});

describe('a trigger', () => {
  test('is taken and refused as the kernel does it', async () => {
    await using cgroup = await TestCgroup.create();
    const script = `
      def attempt(text):
          file = os.open(args[0], os.O_RDWR)
          try:
              return error_of(os.write, file, text)
          finally:
              os.close(file)
      good = [attempt(text) for text in [b"some 1 2000000", b"full 500000 1000000\\n", b"some 10000000 10000000\\0"]]
      bad = [attempt(text) for text in [b"some", b"none 1 2000000", b"some 0 2000000", b"some 3000000 2000000",
             b"some 1 499999", b"some 1 10000001", b"some x 2000000", b"some 1 99999999999", b"x" * 60000]]
      file = os.open(args[0], os.O_RDWR)
      twice = [error_of(os.write, file, b"some 1 2000000"), error_of(os.write, file, b"full 1 2000000")]
      poller = select.poll()
      poller.register(os.open(args[0], os.O_RDONLY), select.POLLPRI)
      without = [event for _, event in poller.poll(1000)]
      poller = select.poll()
      poller.register(os.open(args[1], os.O_RDONLY), select.POLLIN | select.POLLPRI)
      reply([good, bad, twice, without, [event for _, event in poller.poll(1000)],
             error_of(os.open, args[1], os.O_RDWR)])
    `;
    const paths = [pressureOf(daemon(), 'memory'), `${daemon().tree}/proc/meminfo`];
    expect(await python(script, { args: paths, cgroup })).toEqual([
      [null, null, null],
      Array.from({ length: 9 }, () => 'EINVAL'),
      [null, 'EBUSY'],
      [pollPri | pollErr],
      [1],
      'EROFS',
    ]);
  });

  test('is one of at most 64 of a container, and goes when its file is closed', async () => {
    await using cgroup = await TestCgroup.create();
    const script = `
      def fill():
          files, error = [], None
          while error is None and len(files) < 100:
              files.append(os.open(args[0], os.O_RDWR))
              error = error_of(os.write, files[-1], b"some 1 2000000")
          for file in files:
              os.close(file)
          return [len(files), error]
      reply(fill())
      step()
      reply(fill())
    `;
    const args = [pressureOf(daemon(), 'io')];
    await using filling = new PythonProcess(script, { args, cgroup });
    expect(await filling.next()).toEqual([65, 'ENOSPC']);
    await filling.next();
    await allClosed(daemon());
    filling.go();
    expect(await filling.next()).toEqual([65, 'ENOSPC']);
  });

  test('ends in an error when its cgroup goes', async () => {
    await using cgroup = await TestCgroup.create();
    await using waits = new PythonProcess(
      `
      file = os.open(args[0], os.O_RDWR)
      os.write(file, b"some 1 2000000")
      step(None)
      poller = select.poll()
      poller.register(file, select.POLLPRI)
      reply([event for _, event in poller.poll(20000)])
      `,
      { args: [pressureOf(daemon(), 'cpu')], prefix: ['sh', '-c', enterThenRun(cgroup), 'sh'] },
    );
    await waits.next();
    await python(
      `
      for procs in args[1:]:
          open(procs, "w").write(args[0])
      reply(None)
      `,
      { args: [String(waits.child.pid), ...rootsOfHierarchies(cgroup)] },
    );
    await cgroup.remove();
    waits.go();
    expect(await waits.next()).toEqual([pollPri | pollErr]);
  });
});

function enterThenRun({ directories }: TestCgroup): string {
  return `${directories.map((directory) => `echo 0 >${directory}/cgroup.procs`).join(' && ')} && exec "$@"`;
}

function rootsOfHierarchies({ directories, path }: TestCgroup): string[] {
  return directories.map((directory) => `${directory.slice(0, -path.length)}/cgroup.procs`);
}
