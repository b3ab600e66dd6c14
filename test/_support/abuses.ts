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
  'thousands of threads, which readers want to be counted': `
      import threading
      threading.stack_size(1 << 16)
      forever = threading.Event()
      for _ in range(4000):
          threading.Thread(target=forever.wait, daemon=True).start()
      step()
      for _ in range(4):
          if os.fork() == 0:
              while True:
                  for name in ('loadavg', 'stat'):
                      open(args[0] + '/proc/' + name).read()
      time.sleep(1000000)
  `,
  'a process with thousands of threads, in a pid namespace for each read': `
      import threading
      threading.stack_size(1 << 16)
      forever = threading.Event()
      for _ in range(2000):
          threading.Thread(target=forever.wait, daemon=True).start()
      step()
      while True:
          if os.fork() == 0:
              assert libc.unshare(0x20000000) == 0  # CLONE_NEWPID
              if os.fork() == 0:
                  open(args[0] + '/proc/loadavg').read()
                  os._exit(0)
              os.wait()
              os._exit(0)
          os.wait()
  `,
  'thousands of mounts with long names, and a cgroup namespace for each read': `
      CLONE_NEWNS, CLONE_NEWCGROUP, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x02000000, 0x1000, 0x4000, 0x40000
      assert libc.unshare(CLONE_NEWNS) == 0
      assert libc.mount(None, b'/', None, MS_REC | MS_PRIVATE, None) == 0
      assert libc.mount(b'x', b'/mnt', b'tmpfs', 0, None) == 0
      path = '/mnt'
      for _ in range(14):
          path += '/' + 'a' * 249
          os.mkdir(path)
      for _ in range(2000):
          assert libc.mount(path.encode(), path.encode(), None, MS_BIND, None) == 0
      step()
      for _ in range(4):
          if os.fork() == 0:
              while True:
                  assert libc.unshare(CLONE_NEWCGROUP) == 0
                  open(args[0] + '/proc/meminfo').read()
      time.sleep(1000000)
  `,
};
