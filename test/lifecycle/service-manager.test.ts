// SPDX-License-Identifier: Apache-2.0
// A service manager keeps the descriptors: restarts of the service are invisible. systemd is not there in a test, so
// its part is played by a script: a notify socket with a store, and LISTEN_FDS.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { program, run } from '../_support/lensfs.js';
import { mountTest } from '../_support/mounted.js';
import { mountsIn } from '../_support/mounts.js';
import { PythonProcess } from '../_support/python.js';
import { command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const units = fileURLToPath(new URL('../../deploy/systemd', import.meta.url));

interface Told {
  /** Lines of all datagrams, in order. */
  lines: string[];
  /** Names of the descriptors in the store. */
  stored: string[];
  text: string;
}

// args: the program, the directory. Each step starts the service with what is in the store, waits until it is ready,
// reads through a descriptor that is kept all the time, and stops the service.
const manager = `
import subprocess
program, directory = args
path = directory + '/notify'
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
store, kept = {}, None
def receive(lines):
    data, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(64))
    fields = data.decode().split('\\n')
    lines.extend(fields)
    for _, _, fds in ancillary:
        name = dict(field.split('=', 1) for field in fields)['FDNAME']
        store[name] = list(memoryview(fds).cast('i'))[0]
def serve():
    pass_on = 'LISTEN_PID=$$ exec "$@"'
    fds = []
    for number, name in enumerate(store, 3):
        copy = fcntl.fcntl(store[name], fcntl.F_DUPFD, 100)
        pass_on = f'exec {number}<&{copy} {copy}<&-; ' + pass_on
        fds.append(copy)
    env = dict(os.environ, NOTIFY_SOCKET=path, LISTEN_FDS=str(len(store)), LISTEN_FDNAMES=':'.join(store))
    tree = ['--tree', directory + '/tree', '--run-dir', directory + '/run', '--leave-mounted']
    command = ['setpriv', '--pdeathsig', 'TERM', 'bash', '-c', pass_on, 'bash', program, 'serve', *tree]
    child = subprocess.Popen(command, pass_fds=fds, env=env, stderr=subprocess.DEVNULL)
    for fd in fds:
        os.close(fd)
    return child
while True:
    lines = []
    service = serve()
    while 'WATCHDOG=1' not in lines:
        receive(lines)
    if kept is None:
        kept = os.open(directory + '/tree/proc/uptime', os.O_RDONLY)
    text = os.pread(kept, 100, 0).decode()
    service.terminate()
    while 'STOPPING=1' not in lines:
        receive(lines)
    service.wait()
    if step({'lines': lines, 'stored': sorted(store), 'text': text}) == 'end':
        break
for fd in store.values():
    os.close(fd)
reply('ended')
`;

mountTest(
  'a restart of the service is invisible to who has a file open',
  async () => {
    await using dir = await TempDir.create();
    try {
      await using service = new PythonProcess(manager, { args: [program, dir.path] });
      const layers: string[] = [];
      for (const round of [1, 2, 3]) {
        const told = await service.next<Told>();
        expect(told.text).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/);
        expect(told.stored).toEqual(['lensfs-journal', 'lensfs-pinned', 'lensfs-shared']);
        expect(told.lines.filter((line) => line === 'FDPOLL=0')).toHaveLength(3);
        expect(told.lines.indexOf('READY=1')).toBeGreaterThan(0);
        layers.push((await mountsIn(`${dir.at('tree')}/proc/uptime`)).join());
        service.go(round === 3 ? 'end' : null);
      }
      expect(new Set(layers)).toEqual(new Set(['proc,fuse.lensfs']));
      expect(await service.next()).toBe('ended');
    } finally {
      for (const name of ['run/mnt/shared', 'run/mnt/pinned', 'tree']) {
        await run('umount', ['-l', dir.at(name)]);
      }
    }
  },
  240_000,
);

testWith(command('systemd-analyze'))('the units are what systemd expects', async () => {
  await using dir = await TempDir.create();
  await mkdir(dir.at('units'));
  const names = await readdir(units);
  for (const name of names) {
    const text = await readFile(join(units, name), 'utf8');
    // Programs and manual pages are looked up where the package installs them.
    const here = text.replaceAll('/usr/bin/lensfs', program).replace(/^Documentation=.*\n/gm, '');
    await writeFile(dir.at('units', name), here);
  }
  const paths = names.map((name) => dir.at('units', name));
  const { code, stderr } = await run('systemd-analyze', ['verify', ...paths]);
  expect(stderr.split('\n').filter((line) => line.includes(dir.path))).toEqual([]);
  expect(code).toBe(0);
});
