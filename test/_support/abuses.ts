// SPDX-License-Identifier: Apache-2.0
// What a container could do to those who share its daemon, for the tests and for the benchmark: scripts of
// Python (python.ts) that step once, then go on for ever. Their argument is a tree.

export const abuses: Readonly<Record<string, string>> = {
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
