// SPDX-License-Identifier: Apache-2.0
// No system call tells a container whether a cgroup that is not its own exists: a path with the name of
// one gets the same answer as a path with a name that nothing has.
import { basename } from 'node:path';
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { lensfs } from '../_support/lensfs.js';
import { mountTest as test, useDaemon } from '../_support/mounted.js';
import { python } from '../_support/python.js';

const daemon = useDaemon();

/** Each is called with a path. */
const calls = [
  'os.open(path, os.O_RDONLY)',
  'os.open(path, os.O_WRONLY)',
  'os.open(path, os.O_RDWR | os.O_CREAT)',
  'os.open(path, os.O_PATH)',
  'os.open(path, os.O_DIRECTORY)',
  'os.open(os.path.basename(path), os.O_RDONLY, dir_fd=os.open(os.path.dirname(path), os.O_PATH))',
  'os.stat(path)',
  'os.lstat(path)',
  'os.statvfs(path)',
  'os.access(path, os.F_OK) or os.stat(path)',
  'socket.socket(socket.AF_UNIX).bind(path)',
  'check(libc.mount(path.encode(), path.encode(), None, 4096, None))',
  'os.truncate(path, 0)',
  'os.chdir(path)',
  'os.rename(path, path + "x")',
  'os.mkdir(path)',
  'os.rmdir(path)',
  'os.creat(path) if hasattr(os, "creat") else os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)',
  'os.link(path, path + "x")',
  'os.unlink(path)',
  'os.symlink("target", path)',
  'os.readlink(path)',
  'os.chmod(path, 0o777)',
  'os.chown(path, 0, 0)',
  'os.lchown(path, 0, 0)',
  'os.mknod(path)',
  'os.mkfifo(path)',
  'os.chroot(path)',
  'os.getxattr(path, "user.a")',
  'os.setxattr(path, "user.a", b"1")',
  'os.listxattr(path)',
  'os.utime(path)',
  'os.scandir(path)',
  'os.execv(path, ["x"])',
];

const compare = `
  def check(result):
      if result != 0:
          raise OSError(ctypes.get_errno(), 'failed')
  def answer(call, path):
      return error_of(lambda: eval(call, {**globals(), 'path': path}))
  different = []
  for directory in args[1].split(':'):
      for call in json.loads(args[0]):
          answers = [answer(call, directory + '/' + name) for name in args[2:]]
          if len(set(answers)) != 1 or answers[0] is None:
              different.append([directory, call, answers])
  reply(different)
`;

test('every call answers for a foreign cgroup as for none', async () => {
  await using own = await TestCgroup.create({ memoryBytes: 2 ** 26 });
  await using foreign = await TestCgroup.create({ memoryBytes: 2 ** 27 });
  const { stdout } = await lensfs(['show', '--view', '--cgroup', foreign.path]);
  const view = stdout.trim().split('/').filter(Boolean);
  const { tree } = daemon();
  const directories = ['proc', 'sys', 'sys/devices/system/cpu'].map((name) => `${tree}/${name}`);
  const names = [basename(foreign.path), `${basename(foreign.path)}=a`, ...view.slice(-1)];
  const args = [JSON.stringify(calls), directories.join(':'), 'nothing-has-this-name', ...names];
  expect(await python(compare, { args, cgroup: own })).toEqual([]);
});

test('the views of others are out of reach: no path leads from the tree to them', async () => {
  await using own = await TestCgroup.create({ memoryBytes: 2 ** 26 });
  const found = await python<string[]>(
    `
    found = []
    for root, dirs, files in os.walk(args[0], followlinks=True):
        found += [os.path.join(root, name) for name in dirs + files if 'views' in name]
    for up in ('proc/..', 'sys/../..', 'sys/devices/system/cpu/../../../..'):
        path = os.path.join(args[0], up, 'views')
        if os.path.exists(path):
            found.append(path)
    reply(found)
    `,
    { args: [daemon().tree], cgroup: own },
  );
  expect(found).toEqual([]);
});
