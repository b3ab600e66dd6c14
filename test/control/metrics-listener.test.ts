// SPDX-License-Identifier: Apache-2.0

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { groupId } from '../../src/control/group.js';
import { MetricsListener } from '../../src/control/metrics-listener.js';
import { TempDir } from '../_support/temp-dir.js';

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('MetricsListener', () => {
  test('answers GET /metrics and nothing else', async () => {
    const port = await freePort();
    await using _listener = await MetricsListener.start(`127.0.0.1:${port}`, () => 'up 1\n');
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(answer.headers.get('content-type')).toContain('version=0.0.4');
    expect(await answer.text()).toBe('up 1\n');
    expect((await fetch(`http://127.0.0.1:${port}/v1/stop`, { method: 'POST' })).status).toBe(404);
  });

  test('names the address that is taken', async () => {
    const port = await freePort();
    await using _first = await MetricsListener.start(`127.0.0.1:${port}`, () => '');
    await expect(MetricsListener.start(`127.0.0.1:${port}`, () => '')).rejects.toMatchObject({
      code: 'socket_failed',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });
});

describe('groupId()', () => {
  test('finds a group by its name and takes a number as it is', async () => {
    await using dir = await TempDir.create();
    await writeFile(dir.at('group'), 'root:x:0:\nlens:x:123:someone\n');
    expect(await groupId('lens', dir.at('group'))).toBe(123);
    expect(await groupId('77', dir.at('group'))).toBe(77);
    await expect(groupId('nobody', dir.at('group'))).rejects.toMatchObject({
      code: 'no_group',
      message: expect.stringContaining('control.group: no group "nobody"'),
    });
  });

  test('names the group also where there is no list of groups, and the list that cannot be read', async () => {
    await using dir = await TempDir.create();
    await expect(groupId('lens', dir.at('missing'))).rejects.toMatchObject({
      code: 'no_group',
      message: expect.stringContaining('control.group: no group "lens"'),
    });
    await expect(groupId('lens', dir.path)).rejects.toMatchObject({
      code: 'no_group',
      message: `control.group: cannot read ${dir.path}`,
    });
  });
});
