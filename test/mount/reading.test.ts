// SPDX-License-Identifier: Apache-2.0
// System calls that read: a handle's bytes are one snapshot, made by its first read and by each at 0.
import { describe, expect } from 'vitest';
import { allClosed, mountTest as test, useDaemon } from '../_support/mounted.js';
import { python } from '../_support/python.js';

describe('with bytes that are reused', () => {
  const daemon = useDaemon('--set', 'freshness=60s');

  test('pread gives the same bytes at every offset', async () => {
    const different = await python<number[]>(
      `
      fd = os.open(args[0], os.O_RDONLY)
      whole = os.pread(fd, 1 << 20, 0)
      assert len(whole) > 500, whole
      reply([at for at in range(len(whole) + 3) if os.pread(fd, 7, at) != whole[at:at + 7]])
      `,
      { args: [`${daemon().tree}/proc/stat`] },
    );
    expect(different).toEqual([]);
  });

  test('the first read may be at any offset', async () => {
    const equal = await python<boolean[]>(
      `
      with open(args[0], 'rb') as file:
          whole = file.read()
      def first(at):
          fd = os.open(args[0], os.O_RDONLY)
          try:
              return os.pread(fd, 1 << 20, at)
          finally:
              os.close(fd)
      reply([first(at) == whole[at:] for at in (1, 5, 500, len(whole) - 1)])
      `,
      { args: [`${daemon().tree}/proc/meminfo`] },
    );
    expect(equal).toEqual([true, true, true, true]);
  });

  test('a read at or past the end gives nothing', async () => {
    const bytes = await python<number[]>(
      `
      fd = os.open(args[0], os.O_RDONLY)
      end = len(os.read(fd, 1 << 20))
      past = [end, end + 1, 4095, 4096, 4097, 1 << 20, 1 << 40, (1 << 63) - 4096]
      fresh = [os.open(args[0], os.O_RDONLY) for _ in past]
      reply([len(os.read(fd, 100))] + [len(os.pread(fd, 100, at)) for at in past]
            + [len(os.pread(new, 100, at)) for new, at in zip(fresh, past)])
      `,
      { args: [`${daemon().tree}/proc/uptime`] },
    );
    expect(bytes).toEqual(Array(17).fill(0));
  });

  test('readv, preadv, O_DIRECT and asynchronous reads give the same bytes as read', async () => {
    const sizes = await python<Record<string, number | boolean>>(
      `
      import struct
      whole = os.read(os.open(args[0], os.O_RDONLY), 1 << 20)
      fd = os.open(args[0], os.O_RDONLY)
      parts = [bytearray(3), bytearray(100), bytearray(1 << 16)]
      def joined(count):
          return b''.join(parts)[:count]
      result = {'readv': joined(os.readv(fd, parts)) == whole,
                'preadv': joined(os.preadv(fd, parts, 5)) == whole[5:]}
      direct = os.open(args[0], os.O_RDONLY | os.O_DIRECT)
      page = mmap.mmap(-1, 8192)
      result['aligned'] = page[:os.readv(direct, [page])] == whole
      result['unaligned'] = os.pread(direct, 99, 3) == whole[3:102]

      io_setup, io_getevents, io_submit = 206, 208, 209
      if os.uname().machine == 'aarch64':
          io_setup, io_getevents, io_submit = 0, 4, 2
      context = ctypes.c_ulong(0)
      assert libc.syscall(io_setup, 8, ctypes.byref(context)) == 0
      buffer, event = ctypes.create_string_buffer(8192), ctypes.create_string_buffer(32)
      request = ctypes.create_string_buffer(
          struct.pack('<QIIHhIQQqQII', 0, 0, 0, 0, 0, fd, ctypes.addressof(buffer), 8192, 0, 0, 0, 0))
      requests = ctypes.c_void_p(ctypes.addressof(request))
      assert libc.syscall(io_submit, context, 1, ctypes.byref(requests)) == 1
      assert libc.syscall(io_getevents, context, 1, 1, event, None) == 1
      result['aio'] = buffer.raw[:struct.unpack('<QQqq', event.raw)[2]] == whole
      reply(result)
      `,
      { args: [`${daemon().tree}/proc/stat`] },
    );
    const all = { readv: true, preadv: true, aligned: true, unaligned: true, aio: true };
    expect(sizes).toEqual(all);
  });

  // Both would go through the page cache, which all containers share.
  test('sendfile and splice send callers to read', async () => {
    const results = await python<(string | number | null)[]>(
      `
      into = os.pipe()[1]
      def sent(call):
          try:
              return call(os.open(args[0], os.O_RDONLY))
          except OSError as error:
              return errno.errorcode[error.errno]
      reply([sent(lambda fd: os.sendfile(into, fd, 0, 1 << 16)),
             sent(lambda fd: os.splice(fd, into, 1000))])
      `,
      { args: [`${daemon().tree}/proc/stat`] },
    );
    // Before Linux 6.5 they read as read does, and give the bytes.
    for (const result of results) {
      expect(typeof result === 'number' ? result > 0 : result === 'EINVAL').toBe(true);
    }
  });

  // The kernel lets a private mapping be made, but there is nothing in it: SIGBUS.
  test('mmap is refused, or has nothing in it', async () => {
    const results = await python<Record<string, string | number>>(
      `
      libc.mmap.restype = ctypes.c_void_p
      libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
      fd = os.open(args[0], os.O_RDONLY)
      def map_it(flags):
          at = libc.mmap(None, 4096, mmap.PROT_READ, flags, fd, 0)
          return at if at != 2 ** 64 - 1 else errno.errorcode[ctypes.get_errno()]
      at = map_it(mmap.MAP_PRIVATE)
      child = os.fork()
      if child == 0:
          ctypes.string_at(at, 1)
          os._exit(0)
      reply({'shared': map_it(mmap.MAP_SHARED), 'signal': os.waitpid(child, 0)[1]})
      `,
      { args: [`${daemon().tree}/proc/meminfo`] },
    );
    expect(results).toEqual({ shared: 'ENODEV', signal: 7 });
  });

  test('poll, select and epoll say readable at once', async () => {
    const ready = await python<number[]>(
      `
      fd = os.open(args[0], os.O_RDONLY)
      poller, epoll = select.poll(), select.epoll()
      poller.register(fd, select.POLLIN)
      epoll.register(fd, select.EPOLLIN)
      begin = time.monotonic()
      events = [poller.poll(5000)[0][1], len(select.select([fd], [], [], 5)[0]), epoll.poll(5)[0][1]]
      reply(events + [time.monotonic() - begin < 1])
      `,
      { args: [`${daemon().tree}/proc/pressure/cpu`] },
    );
    expect(ready).toEqual([1, 1, 1, true]);
  });
});

describe('with bytes made for each read', () => {
  const daemon = useDaemon('--set', 'freshness=0');

  test('a read at offset 0 makes a new snapshot, others go on with it', async () => {
    const { started, same, next } = await python<Record<string, string>>(
      `
      fd, other = (os.open(args[0], os.O_RDONLY) for _ in range(2))
      begin = os.read(fd, 3)
      while True:
          rest = os.pread(fd, 100, 3)
          started = begin + rest
          if os.pread(other, 100, 0) != started:
              break
      same = begin + os.read(fd, 100)
      os.lseek(fd, 0, os.SEEK_SET)
      next = os.read(fd, 100)
      reply({'started': started.decode(), 'same': same.decode(), 'next': next.decode()})
      `,
      { args: [`${daemon().tree}/proc/uptime`] },
    );
    expect(started).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/);
    expect(same).toBe(started);
    expect(next).not.toBe(started);
  });

  test('a reader of single bytes gets one snapshot, whatever others read', async () => {
    const same = await python<boolean[]>(
      `
      def by_bytes(path, disturb):
          fd = os.open(path, os.O_RDONLY)
          text = b''
          while byte := os.read(fd, 1):
              text += byte
              os.pread(disturb, 4096, 0)
          return text == text[:1] + os.pread(fd, 1 << 20, 1)
      reply([by_bytes(path, os.open(path, os.O_RDONLY)) for path in args])
      `,
      { args: ['uptime', 'stat', 'meminfo'].map((file) => `${daemon().tree}/proc/${file}`) },
    );
    expect(same).toEqual([true, true, true]);
  });

  test('two handles of one process do not disturb each other', async () => {
    const ordered = await python<boolean>(
      `
      fds = [os.open(args[0], os.O_RDONLY) for _ in range(20)]
      heads = []
      for fd in fds:
          heads.append(os.read(fd, 4))
          time.sleep(0.011)
      texts = [head + os.read(fd, 100) for head, fd in zip(heads, fds)]
      times = [float(text.split()[0]) for text in texts]
      reply(times == sorted(set(times)))
      `,
      { args: [`${daemon().tree}/proc/uptime`] },
    );
    expect(ordered).toBe(true);
  });

  test('every read is a render', async () => {
    await allClosed(daemon());
    const values = await python<number>(
      `
      fd = os.open(args[0], os.O_RDONLY)
      seen = set()
      end = time.monotonic() + 0.2
      while time.monotonic() < end:
          seen.add(os.pread(fd, 100, 0))
      reply(len(seen))
      `,
      { args: [`${daemon().tree}/proc/uptime`] },
    );
    expect(values).toBeGreaterThanOrEqual(15); // of about 20 hundredths
  });
});
