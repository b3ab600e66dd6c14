// SPDX-License-Identifier: Apache-2.0
// Which processes are taken for a daemon of this host, whose arguments name files that root writes.
import { expect } from 'vitest';
import { findDaemons, optionOf } from '../../src/containers/running-daemon.js';
import { PythonProcess } from '../_support/python.js';
import { command, root, testWith } from '../_support/requirements.js';

const test = testWith(root, command('python3'));

/** args: the name to take, and the user to become; what follows is only to be seen. */
const daemon = `
libc.prctl(15, args[0].encode(), 0, 0, 0)
os.setuid(int(args[1]))
libc.prctl(4, int(args[2]), 0, 0, 0)
step(os.getpid())
`;

for (const [who, user, isDumpable, isFound] of [
  ['root', '0', '1', true],
  ['nobody', '65534', '1', false],
  ['nobody, whose files of /proc are root’s', '65534', '0', false],
] as const) {
  test(`a program of ${who} is ${isFound ? 'one' : 'none'}`, async () => {
    const name = `d${process.pid}-${user}-${isDumpable}`.slice(0, 15);
    const args = [name, user, isDumpable, '--config-file=/srv/a', '--config-file', '/srv/b'];
    await using running = new PythonProcess(daemon, { args });
    const pid = await running.next<number>();
    const found = await findDaemons(name);
    expect(found.map((each) => each.pid)).toEqual(isFound ? [pid] : []);
    for (const each of found) expect(optionOf(each.args, 'config-file')).toBe('/srv/b');
  });
}
