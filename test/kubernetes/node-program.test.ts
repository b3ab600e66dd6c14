// SPDX-License-Identifier: Apache-2.0
// The agent's second container as its pod starts it: root without a capability, beside a daemon, with a service account.
import { expect } from 'vitest';
import { ApiServer } from '../_support/api-server.js';
import { RunningCommand, RunningDaemon } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

const test = testWith(...mountRequirements);
const path = '/api/v1/nodes/worker';
const other = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const ours = { key: 'lensfs.io/agent-not-ready', effect: 'NoSchedule' };
const unprivileged = ['setpriv', '--no-new-privs', '--bounding-set', '-all', '--inh-caps', '-all'];

function start(api: { url: string; credentialsDir: string }, runDir: string): RunningCommand {
  const cluster = ['--api-server', api.url, '--credentials', api.credentialsDir];
  const args = ['--name', 'worker', '--run-dir', runDir, '--interval-ms', '20'];
  return new RunningCommand(['kubernetes', 'node', ...args, ...cluster], { prefix: unprivileged });
}

async function end(command: RunningCommand): Promise<void> {
  command.child.kill('SIGTERM');
  expect(await command.exited).toEqual({ code: 0, signal: null });
  expect(command.otherLines).toEqual([]);
}

async function failure(command: RunningCommand): Promise<string> {
  const { err } = await command.logged('Cannot mark the node, trying again');
  return (err as { message: string }).message;
}

test('The program marks its node while a daemon serves, and no longer after SIGTERM', async () => {
  await using api = await ApiServer.start();
  const node = () => api.objects.get(path);
  api.put(path, {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker', labels: { disk: 'ssd' } } },
    spec: { podCIDR: '10.0.0.0/24', taints: [ours, other] },
  });
  const marked = (value: string) =>
    waitUntil(`marked ${value}`, () => node().metadata.labels['lensfs.io/ready'] === value);
  const dir = await TempDir.create();
  await using first = start(api, dir.at('run'));
  await marked('false');
  expect(node().spec.taints).toEqual([ours, other]);
  {
    await using daemon = await RunningDaemon.start([], { dir });
    await marked('true');
    expect(node().metadata.labels.disk).toBe('ssd');
    expect(node().spec).toEqual({ podCIDR: '10.0.0.0/24', taints: [other] });
    await end(first);
    expect(node().metadata.labels['lensfs.io/ready']).toBe('false');

    api.forbidden.add(`PATCH ${path}`);
    await using second = start(api, dir.at('run'));
    expect(await failure(second)).toBe(
      `The API server answers 403 to PATCH ${path}: the service account cannot PATCH ${path}`,
    );
    expect(node().metadata.labels['lensfs.io/ready']).toBe('false');
    api.forbidden.clear();
    await marked('true');
    // A daemon that is killed says nothing.
    await daemon.killAll();
    await marked('false');
    await end(second);
  }
});

test('The program says that it has no service account, and ends when it is told to', async () => {
  await using dir = await TempDir.create();
  const url = 'https://localhost:1';
  await using command = start({ url, credentialsDir: dir.at('none') }, dir.at('run'));
  expect(await failure(command)).toBe(
    `Cannot reach the API server "${url}": ENOENT: no such file or directory, open '${dir.at('none', 'token')}'`,
  );
  await end(command);
});
