// SPDX-License-Identifier: Apache-2.0
// Containers that ask for too much: the daemon's memory and descriptors stay bounded, everybody else goes
// on reading the right values, and nothing is left of it afterwards.
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { HostileContainers } from '../_support/hostile-containers.js';
import type { RunningDaemon } from '../_support/lensfs.js';
import { allClosed, statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { mebibyte } from '../_support/units.js';

const daemon = useDaemon();

// Snapshots of all handles together, and what the allocator needs for them.
const mostGrowthBytes = 128 * mebibyte;
const mostDescriptors = 2000;

const abuses: Record<string, string> = {
  'reads of a gigabyte, at offsets that no file has': `
      files = [os.path.join(root, name) for root, _, names in os.walk(args[0]) for name in names]
      fds = []
      for path in files:
          try:
              fds.append(os.open(path, os.O_RDONLY))
          except OSError:
              pass
      step()
      room = mmap.mmap(-1, 1 << 30)
      while True:
          for fd in fds:
              error_of(os.preadv, fd, [room], 0)
              for offset in (1 << 40, (1 << 62), 2**63 - 1):
                  error_of(os.pread, fd, 1 << 16, offset)
              assert error_of(os.pread, fd, 1, -1) == 'EINVAL'
  `,
  'ten thousand handles that are never closed': `
      resource.setrlimit(resource.RLIMIT_NOFILE, (20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
      fds = [os.open(args[0] + '/proc/stat', os.O_RDONLY) for _ in range(10000)]
      step()
      while True:
          for fd in fds:
              os.pread(fd, 100, 0)
  `,
  'readers that are killed in the middle': `
      step()
      while True:
          children = []
          for _ in range(16):
              pid = os.fork()
              if pid == 0:
                  while True:
                      for name in ('stat', 'meminfo', 'cpuinfo', 'vmstat'):
                          open(args[0] + '/proc/' + name).read()
              children.append(pid)
          time.sleep(0.01)
          for pid in children:
              os.kill(pid, signal.SIGKILL)
          for pid in children:
              os.waitpid(pid, 0)
  `,
  'a bomb of readers': `
      step()
      def spread(depth):
          for _ in range(4):
              if os.fork() == 0:
                  if depth > 0:
                      spread(depth - 1)
                  while True:
                      open(args[0] + '/proc/loadavg').read()
      spread(2)
      time.sleep(1000000)
  `,
  'listings without end, and names that are not there': `
      step()
      names = ['x' * 255, '..', '.', '\\\\n', '%41', 'a=b', '\\\\xff']
      while True:
          for root, dirs, files in os.walk(args[0]):
              for name in names:
                  error_of(os.stat, os.path.join(root, name))
                  error_of(os.stat, os.path.join(root, name, 'proc', 'meminfo'))
  `,
};

/** Reads until it is told to stop; replies with how often, and how often it was wrong. */
const bystander = `
  import threading
  wrong, done, stop = 0, 0, False
  def read():
      global wrong, done
      while not stop:
          text = open(args[0] + '/proc/meminfo').read(64).split()
          wrong += text[1] != args[1]
          done += 1
  reader = threading.Thread(target=read)
  reader.start()
  step()
  before = done
  step()
  stop = True
  reader.join()
  reply([done - before, wrong])
`;

async function residentBytes(of: RunningDaemon): Promise<number> {
  const status = await readFile(`/proc/${await of.workerPid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function descriptors(of: RunningDaemon): Promise<number> {
  return (await readdir(`/proc/${await of.workerPid()}/fd`)).length;
}

describe('a container with', () => {
  for (const [name, abuse] of Object.entries(abuses)) {
    test(name, async () => {
      const { tree } = daemon();
      await using containers = new HostileContainers();
      const limitKib = 80 * 1024;
      const limits = { memoryBytes: limitKib * 1024 };
      const victim = await containers.start(bystander, [tree, `${limitKib}`], limits);
      await victim.next();
      const before = await residentBytes(daemon());
      const abuser = await containers.start(abuse, [tree], { memoryBytes: 512 * mebibyte });
      await abuser.next();
      abuser.go();
      victim.go();
      await victim.next();
      // As long as the abuse takes to show: a number of requests, not a time.
      for (let round = 0; round < 40; round += 1) {
        expect((await statusOf(daemon())).handles).toBeLessThanOrEqual(20_000);
        expect(await descriptors(daemon())).toBeLessThan(mostDescriptors);
      }
      victim.go();
      const [reads, wrong] = await victim.next<[number, number]>();
      expect(wrong).toBe(0);
      expect(reads).toBeGreaterThan(0);
      expect(abuser.child.exitCode).toBeNull();
      expect((await residentBytes(daemon())) - before).toBeLessThan(mostGrowthBytes);
      await containers[Symbol.asyncDispose]();
      await allClosed(daemon());
      expect(daemon().log.filter(({ level }) => level === 'error')).toEqual([]);
      expect(daemon().otherLines).toEqual([]);
    }, 120_000);
  }
});
