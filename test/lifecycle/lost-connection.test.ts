// SPDX-License-Identifier: Apache-2.0
// Somebody ends a connection: a container that may unmount by force, or root through fusectl. The daemon goes on.
import { expect } from 'vitest';
import { abortConnection } from '../_support/abort-connection.js';
import { TestCgroup } from '../_support/cgroup.js';
import { printFigures } from '../_support/clients.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { PythonProcess } from '../_support/python.js';
import { pinnedDirectoryOf } from '../_support/views.js';
import { waitUntil } from '../_support/wait.js';

const timeoutMs = 120_000;

// A mount namespace of its own, with a file of the tree that follows, one that does not, and a pinned one.
const container = `
def bind(source, target, propagation):
    assert libc.mount(source.encode(), target, None, 4096 | 16384, None) == 0
    assert libc.mount(b'none', target, None, 16384 | propagation, None) == 0
PRIVATE, SLAVE = 1 << 18, 1 << 19
libc.unshare(0x00020000)
libc.mount(b'none', b'/', None, 16384 | SLAVE, None)
bind(args[0] + '/proc/meminfo', b'/proc/meminfo', SLAVE)
bind(args[0] + '/proc/vmstat', b'/proc/vmstat', PRIVATE)
bind(args[1] + '/proc/uptime', b'/proc/uptime', PRIVATE)
def read(path):
    try:
        return open(path).readline().strip()
    except OSError as error:
        return errno.errorcode[error.errno]
while True:
    order = step([read('/proc/meminfo'), read('/proc/vmstat'), read('/proc/uptime')])
    if order:
        libc.umount2(order.encode(), 1)
`;

test(
  'a connection that is ended from outside is made anew, and containers have their values again',
  async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
    await using daemon = await RunningDaemon.start(['--set', 'workers.deaths=1000']);
    const args = [daemon.tree, await pinnedDirectoryOf(daemon, cgroup.path)];
    await using inside = new PythonProcess(container, { args, cgroup });
    const own = (seen: string[]) =>
      /^MemTotal: +65536 kB$/.test(seen[0] ?? '') &&
      seen.slice(1).every((text) => !/^E[A-Z]+$/.test(text));
    let seen = await inside.next<string[]>();
    expect(own(seen)).toBe(true);
    const longest: string[] = [];
    const attacks: [name: string, attack: () => Promise<void>][] = [
      ['abort shared', async () => await abortConnection(daemon, 'shared')],
      ['abort pinned', async () => await abortConnection(daemon, 'pinned')],
    ];
    for (const path of ['/proc/vmstat', '/proc/uptime']) {
      attacks.push([
        `umount2(${path}, MNT_FORCE)`,
        async () => {
          inside.go(path);
          seen = await inside.next<string[]>();
        },
      ]);
    }
    for (const [index, [name, attack]] of attacks.entries()) {
      const begin = performance.now();
      await attack();
      await daemon.logged('A connection was ended from outside, making a new one', index + 1);
      await daemon.logged('Serving again', index + 1);
      await waitUntil('the container has its values', async () => {
        inside.go();
        seen = await inside.next<string[]>();
        return own(seen);
      }).catch((error: Error) => {
        const lines = seen.map((text) => text.slice(0, 30));
        throw new Error(`${name}: ${error.message}: ${JSON.stringify([lines, daemon.log])}`);
      });
      longest.push(`${name} ${(performance.now() - begin).toFixed(0)} ms`);
    }
    printFigures(`Connections ended from outside, until all is right: ${longest.join(', ')}`);
    expect((await statusOf(daemon)).orphaned).toBe(false);
    expect((await daemon.command('stop')).code).toBe(0);
  },
  timeoutMs,
);
