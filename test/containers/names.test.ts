// SPDX-License-Identifier: Apache-2.0
// What real runtimes call their containers, as it is read from their files.
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import {
  containerIdOf,
  findRuntimeDirectories,
  readContainerName,
} from '../../src/daemon/container-names.js';
import { copyBusybox } from '../_support/container-root.js';
import { Podman } from '../_support/podman.js';
import { command, root, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

const test = testWith(root, command('podman'), command('runc'));

test("A container of Podman's has the name it was given, not its host name, and its annotations", async () => {
  await using dir = await TempDir.create();
  copyBusybox(dir.at('root'));
  const podman = await Podman.create(dir, dir.at('root'));
  const flags = ['--name', 'shop-web', '--hostname', 'other', '--annotation', 'team=data'];
  const script = 'cat /proc/1/cgroup >/cgroup; until [ -e /end ]; do sleep 0.05; done';
  const container = podman.output([...flags, '--cgroupns', 'host'], ['sh', '-c', script]);
  try {
    const readCgroup = async () => await readFile(dir.at('root/cgroup'), 'utf8').catch(() => '');
    await waitUntil('it runs', async () => containerIdOf(await readCgroup()) !== undefined);
    const cgroup = (await readCgroup()).split('\n')[0]?.split(':')[2] ?? '';
    const directories = await findRuntimeDirectories('auto');
    const own = { ...directories, storage: dir.at('podman', 'root') };
    expect(await readContainerName(cgroup, own)).toMatchObject({
      name: 'shop-web',
      labels: { team: 'data' },
    });
  } finally {
    await writeFile(dir.at('root/end'), '');
    await container;
  }
});
