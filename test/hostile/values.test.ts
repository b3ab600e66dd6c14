// SPDX-License-Identifier: Apache-2.0
// Containers that try to get at each other's values. Each has a MemTotal that no other has, and checks it
// at every read, however it came by the descriptor and whoever had its pid before.
//
// LENSFS_HOSTILE_READS=10000000 npx vitest run test/hostile      reads more, for as long as that takes
import { describe, expect } from 'vitest';
import { HostileContainers } from '../_support/hostile-containers.js';
import { allClosed, statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { mebibyte } from '../_support/units.js';

const reads = Number(process.env['LENSFS_HOSTILE_READS'] ?? 200_000);
const containerCount = 6;
const firstLimitMib = 96;
const timeoutMs = 60_000 + reads / 2;

/**
 * args: tree, the container's MemTotal in kB, how many reads, a name of this container and of another one
 * that no other process has. Replies with how many, and wrong texts.
 */
const mayCheck = `
  tree, path, total, count = args[0], args[0] + '/proc/meminfo', args[1].encode(), int(args[2])
  own_name, other_name = args[3], args[4]
  wrong, done = [], 0
  def check(text):
      global done
      done += 1
      words = text.split()
      if words[:2] != [b'MemTotal:', total]:
          wrong.append(text[:60].decode(errors='replace'))
`;

const abuses: Record<string, string> = {
  'reads a descriptor again and again': `
  fd = os.open(path, os.O_RDONLY)
  while done < count:
      check(os.pread(fd, 64, 0))
  `,
  'opens and reads, with a new name each time': `
  while done < count:
      with open('/proc/self/comm', 'w') as comm:
          comm.write([') R 0 (', 'a) S 1 (b', '\\\\n', '1'][done % 4])
      fd = os.open(path, os.O_RDONLY)
      check(os.read(fd, 64))
      os.close(fd)
  `,
  'reads in children that end at once, so that their pids are used again': `
  fd = os.open(path, os.O_RDONLY)
  while done < count // 50:
      pipe = os.pipe()
      if os.fork() == 0:
          if done % 2:
              fd = os.open(path, os.O_RDONLY)
          os.write(pipe[1], os.pread(fd, 64, 0))
          os._exit(0)
      os.close(pipe[1])
      check(os.read(pipe[0], 64))
      os.close(pipe[0])
      os.wait()
  `,
  'reads in threads that share a descriptor and its offset': `
  import threading
  fd = os.open(path, os.O_RDONLY)
  def read():
      while done < count:
          check(os.pread(fd, 64, 0))
  threads = [threading.Thread(target=read) for _ in range(4)]
  for thread in threads: thread.start()
  for thread in threads: thread.join()
  `,
  'reads what another container has opened': `
  own, other = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
  own.bind('\\0' + own_name)
  mine = os.open(path, os.O_RDONLY)
  check(os.pread(mine, 64, 0))
  while other.connect_ex('\\0' + other_name) == errno.ECONNREFUSED:
      os.sched_yield()  # the other one is not there yet
  socket.send_fds(other, [b'.'], [mine])
  _, (fd,), _, _ = socket.recv_fds(own, 1, 1)
  while done < count:
      check(os.pread(fd, 64, 0))
  `,
  'reads in a process that is traced and stopped at each call': `
  PTRACE_TRACEME, PTRACE_SYSCALL = 0, 24
  texts = os.pipe()
  reads = count // 50
  pid = os.fork()
  if pid == 0:
      libc.ptrace(PTRACE_TRACEME, 0, 0, 0)
      os.kill(os.getpid(), signal.SIGSTOP)
      for _ in range(reads):
          fd = os.open(path, os.O_RDONLY)
          os.write(texts[1], os.pread(fd, 64, 0).ljust(64))
          os.close(fd)
      os._exit(0)
  while done < reads:
      _, status = os.waitpid(pid, 0)
      assert os.WIFSTOPPED(status), status
      libc.ptrace(PTRACE_SYSCALL, pid, 0, 0)
      while select.select([texts[0]], [], [], 0)[0]:
          check(os.read(texts[0], 64))
  os.kill(pid, signal.SIGKILL)
  `,
  'reads in a user namespace and below another root': `
  assert libc.unshare(0x10000000 | 0x20000) == 0  # CLONE_NEWUSER | CLONE_NEWNS
  os.chroot(tree)
  path = '/proc/meminfo'
  while done < count:
      fd = os.open(path, os.O_RDONLY)
      check(os.pread(fd, 64, 0))
      os.close(fd)
  `,
};

describe('no container ever reads another’s values', () => {
  const daemon = useDaemon('--set', 'freshness=1ms');

  for (const [name, abuse] of Object.entries(abuses)) {
    test(
      `that ${name}`,
      async () => {
        const perContainer = Math.ceil(reads / containerCount / Object.keys(abuses).length);
        await using containers = new HostileContainers();
        const nameOf = (index: number) => `${daemon().tree} ${index % containerCount}`;
        for (let index = 0; index < containerCount; index += 1) {
          const memoryBytes = (firstLimitMib + index) * mebibyte;
          const args = [
            ...[daemon().tree, `${memoryBytes / 1024}`, `${perContainer}`],
            ...[nameOf(index), nameOf(index + 1)],
          ];
          const script = `${mayCheck}${abuse}\n  reply([done, wrong[:3]])`;
          await containers.start(script, args, { memoryBytes });
        }
        for (const process of containers.running) {
          const [done, wrong] = await process.next<[number, string[]]>();
          expect(wrong).toEqual([]);
          expect(done).toBeGreaterThanOrEqual(Math.floor(perContainer / 50));
          await process.exited;
        }
        await allClosed(daemon());
        expect((await statusOf(daemon())).fallbacks).toEqual([]);
      },
      timeoutMs,
    );
  }
});
