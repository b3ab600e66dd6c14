// SPDX-License-Identifier: Apache-2.0
// Cgroups that a client names: nothing outside of the hierarchies is opened, whatever the name is.
import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { send } from '../_support/http.js';
import { run } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { mebibyte } from '../_support/units.js';

const test = testWith(...mountRequirements);
const getDaemon = useDaemon();

/** A directory that looks like a cgroup with a limit that no machine has. */
async function makeFalseCgroup(path: string): Promise<void> {
  await mkdir(path);
  for (const [name, text] of [
    ['memory.limit_in_bytes', '4711000'],
    ['memory.max', '4711000'],
    ['memory.current', '0'],
    ['cgroup.procs', ''],
    ['tasks', ''],
  ] as const) {
    await writeFile(`${path}/${name}`, `${text}\n`);
  }
}

describe('a cgroup that a client names', () => {
  test('is none when its path leads out of the hierarchy', async () => {
    await using dir = await TempDir.create();
    await makeFalseCgroup(dir.at('false'));
    await mkdir(dir.at('pipe'));
    for (const name of ['cgroup.procs', 'memory.limit_in_bytes', 'memory.max', 'cpu.max']) {
      expect((await run('mkfifo', [dir.at('pipe', name)])).code).toBe(0);
    }
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    const up = '/..'.repeat(12);
    const targets = [dir.at('false'), dir.at('pipe'), '/etc', '/proc/1', ''].flatMap((path) => [
      `${up}${path}`,
      `${cgroup.path}${up}${path}`,
      `${cgroup.path}/.${up}${path}`,
      `/.${up}${path}`,
    ]);
    const { runDir } = getDaemon();
    const socket = `${runDir}/control.sock`;
    for (const target of targets) {
      for (const what of ['files', 'explain']) {
        const query = `cgroup=${encodeURIComponent(target)}`;
        const { status, body } = await send(socket, 'GET', `/v1/${what}/proc/meminfo?${query}`);
        expect([target, status, body.includes('4600')]).toEqual([target, 404, false]);
      }
    }
    const query = `cgroup=${encodeURIComponent(cgroup.path)}`;
    const own = await send(socket, 'GET', `/v1/files/proc/meminfo?${query}`);
    expect([own.status, /MemTotal: +65536 kB/.test(own.body)]).toEqual([200, true]);
  });

  test('is none when something else is mounted there', async () => {
    await using dir = await TempDir.create();
    await makeFalseCgroup(dir.at('false'));
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    for (const directory of cgroup.directories) {
      expect((await run('mount', ['--bind', dir.at('false'), directory])).code).toBe(0);
    }
    try {
      const query = `cgroup=${encodeURIComponent(cgroup.path)}`;
      const socket = `${getDaemon().runDir}/control.sock`;
      const { status } = await send(socket, 'GET', `/v1/files/proc/meminfo?${query}`);
      expect(status).toBe(404);
    } finally {
      for (const directory of cgroup.directories) await run('umount', [directory]);
    }
  });
});
