// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readContainerName } from '../../src/daemon/container-names.js';
import { TempDir } from '../_support/temp-dir.js';

const id = 'c0ffee'.repeat(11).slice(0, 64);

/** Writes the files, and gives what a container of this id is called. */
async function nameOf(files: Record<string, unknown>, cgroup = `/any/libpod-${id}`) {
  await using dir = await TempDir.create();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(dir.at(name)), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(dir.at(name), text);
  }
  return await readContainerName(cgroup, {
    docker: dir.at('docker'),
    storage: dir.at('storage'),
    containerd: dir.at('tasks'),
  });
}

describe('readContainerName()', () => {
  test('finds a container of any namespace of containerd', async () => {
    const annotations = { 'nerdctl/name': 'web', team: 'data' };
    const files = { [`tasks/default/${id}/config.json`]: { hostname: 'other', annotations } };
    expect(await nameOf(files)).toEqual({ name: 'web', labels: annotations });
  });

  test('puts the name of a pod before that of its container', async () => {
    const annotations = {
      'io.kubernetes.cri.container-name': 'app',
      'io.kubernetes.cri.sandbox-name': 'web-1',
    };
    const files = { [`tasks/k8s.io/${id}/config.json`]: { annotations } };
    expect(await nameOf(files)).toMatchObject({ name: 'web-1/app' });
  });

  test.each(['overlay', 'vfs', 'btrfs', 'zfs'])('finds one in storage of %s', async (driver) => {
    const files = {
      [`storage/${driver}-containers/containers.json`]: [
        { id: 'another', names: ['wrong'] },
        { id, names: ['web'] },
      ],
      [`storage/${driver}-containers/${id}/userdata/config.json`]: { hostname: 'other' },
    };
    expect(await nameOf(files)).toEqual({ name: 'web', labels: {} });
  });

  test('takes the host name where there is no other', async () => {
    const files = { [`storage/vfs-containers/${id}/userdata/config.json`]: { hostname: 'other' } };
    expect(await nameOf(files)).toEqual({ name: 'other', labels: {} });
  });

  test('knows none of files that are not there, half written or of another shape', async () => {
    expect(await nameOf({})).toBeUndefined();
    const paths = [
      `docker/${id}/config.v2.json`,
      'storage/vfs-containers/containers.json',
      `storage/vfs-containers/${id}/userdata/config.json`,
      `tasks/default/${id}/config.json`,
    ];
    for (const content of ['{"Name": "/w', [1, null], null, { annotations: 5, hostname: 7 }]) {
      const files = Object.fromEntries(paths.map((path) => [path, content]));
      expect(await nameOf(files), JSON.stringify(content)).toBeUndefined();
    }
  });

  test('takes the name of an LXC container and of a unit from the cgroup itself', async () => {
    expect(await nameOf({}, '/lxc.payload.web/init')).toEqual({ name: 'web', labels: {} });
    expect(await nameOf({}, '/system.slice/nginx.service')).toEqual({ name: 'nginx', labels: {} });
  });
});
