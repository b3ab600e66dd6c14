// SPDX-License-Identifier: Apache-2.0
// Nothing can be changed: every attempt gets the errno of a read-only file system.
import { readdir } from 'node:fs/promises';
import { expect } from 'vitest';
import { allClosed, statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { python } from '../_support/python.js';

const daemon = useDaemon();

/** Calls as Python, with the errno that each must give. */
const attempts: Record<string, string> = {
  'os.open(file, os.O_WRONLY)': 'EROFS',
  'os.open(file, os.O_RDWR)': 'EROFS',
  'os.open(file, os.O_WRONLY | os.O_APPEND)': 'EROFS',
  'os.open(file, os.O_RDONLY | os.O_TRUNC)': 'EROFS',
  'os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY)': 'EEXIST',
  'os.open(new, os.O_CREAT | os.O_WRONLY)': 'EROFS',
  'os.open(directory, os.O_TMPFILE | os.O_RDWR)': 'EROFS',
  'os.truncate(file, 0)': 'EROFS',
  'os.chmod(file, 0o777)': 'EROFS',
  'os.fchmod(fd, 0o777)': 'EROFS',
  'os.chown(file, 1, 1)': 'EROFS',
  'os.fchown(fd, 1, 1)': 'EROFS',
  'os.utime(file)': 'EROFS',
  'os.utime(fd)': 'EROFS',
  'os.mkdir(new)': 'EROFS',
  'os.mkdir(file)': 'EEXIST',
  'os.rmdir(directory)': 'EROFS',
  'os.unlink(file)': 'EROFS',
  'os.rename(file, new)': 'EROFS',
  'os.rename(directory, new)': 'EROFS',
  'os.link(file, new)': 'EROFS',
  'os.symlink("target", new)': 'EROFS',
  'os.mkfifo(new)': 'EROFS',
  'os.mknod(new, stat.S_IFCHR | 0o666, os.makedev(1, 3))': 'EROFS',
  'os.setxattr(file, "user.lensfs", b"1")': 'EROFS',
  'os.removexattr(file, "user.lensfs")': 'EROFS',
  'os.getxattr(file, "user.lensfs")': 'ENOTSUP',
  'os.listxattr(file)': 'ENOTSUP',
  'os.write(fd, b"1")': 'EBADF',
  'os.pwrite(fd, b"1", 0)': 'EBADF',
  'os.ftruncate(fd, 0)': 'EINVAL',
  'os.posix_fallocate(fd, 0, 1)': 'EBADF',
  'fcntl.ioctl(fd, 0x5401)': 'ENOTTY',
  'os.read(os.open(directory, os.O_RDONLY), 1)': 'EISDIR',
  'os.scandir(file)': 'ENOTDIR',
};

/** The directory is a mount point of the tree. */
const attemptsAtMount = { ...attempts, 'os.rename(directory, new)': 'EXDEV' };

const cases: [path: string, expected: Record<string, string>][] = [
  ['proc/meminfo', attempts],
  ['proc/pressure/cpu', attempts],
  ['sys/devices/system/cpu/online', attemptsAtMount],
];
for (const [path, expected] of cases) {
  test(`${path} and what is beside it cannot be changed`, async () => {
    const before = await readdir(daemon().tree, { recursive: true });
    const script = `
      file, attempts = args[0], args[1:]
      directory, new = os.path.dirname(file), file + '-new'
      fd = os.open(file, os.O_RDONLY)
      reply({attempt: error_of(lambda: eval(attempt)) for attempt in attempts})
    `;
    const args = [`${daemon().tree}/${path}`, ...Object.keys(attempts)];
    expect(await python(script, { args })).toEqual(expected);
    expect(await readdir(daemon().tree, { recursive: true })).toEqual(before);
    await allClosed(daemon());
  });
}

test('a thousand attempts leave nothing behind', async () => {
  const before = await statusOf(daemon());
  await python(
    `
    path = args[0]
    for _ in range(1000):
        error_of(os.open, path, os.O_RDWR)
        error_of(os.chmod, path, 0)
        error_of(os.setxattr, path, 'user.x', b'')
        error_of(os.open, path + '-missing', os.O_RDONLY)
        os.close(os.open(path, os.O_RDONLY))
    reply(None)
    `,
    { args: [`${daemon().tree}/proc/stat`] },
  );
  await allClosed(daemon());
  const { heldDescriptors, fallbacks } = await statusOf(daemon());
  expect(fallbacks).toEqual([]);
  expect(heldDescriptors).toBeLessThanOrEqual(before.heldDescriptors + 20);
});

test('locks and hints are as for any file', async () => {
  const results = await python<(string | null)[]>(
    `
    fd = os.open(args[0], os.O_RDONLY)
    reply([error_of(fcntl.flock, fd, fcntl.LOCK_SH), error_of(fcntl.lockf, fd, fcntl.LOCK_SH),
           error_of(os.posix_fadvise, fd, 0, 0, os.POSIX_FADV_SEQUENTIAL), error_of(os.fsync, fd),
           os.fstatvfs(fd).f_flag & (os.ST_RDONLY | os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC)])
    `,
    { args: [`${daemon().tree}/proc/stat`] },
  );
  expect(results).toEqual([null, null, null, null, 15]);
});
