// SPDX-License-Identifier: Apache-2.0
// Requests that no client of ours makes: each gets a clear error, and costs the daemon nothing.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { errorReply } from '../../src/control/protocol.js';
import { type Answer, send, sendBytes } from '../_support/http.js';
import { program, RunningDaemon } from '../_support/lensfs.js';
import { built, fuseDevice, root, testWith } from '../_support/requirements.js';

const test = testWith(built(program), built('build/Release/addon.node'), root, fuseDevice);

const json = { 'content-type': 'application/json' };
/** Above any number of a process. */
const noPid = 4_194_400;

type Bad = readonly [method: string, path: string, body?: string, headers?: Record<string, string>];

const wrongMethods: Bad[] = ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'].flatMap((method) =>
  ['status', 'views', 'files', 'metrics', 'events', 'openapi.json'].map(
    (path) => [method, `/v1/${path}`] as const,
  ),
);
const wrongPaths: Bad[] = [
  '/',
  '/v1',
  '/v2/status',
  '/v1/status/',
  '/v1/../v1/status',
  '/v1/%2e%2e/etc/passwd',
  '/v1/files/../../etc/passwd?pid=1',
  '/v1/files/%2e%2e/%2e%2e/etc/shadow?pid=1',
  '/v1/files/proc/../proc/meminfo?pid=1',
  '/v1/files/proc/meminfo%00?pid=1',
  '/v1/files//?pid=1',
  '/v1/explain/proc/self/mem?pid=1',
  '/v1/views/..%2f..%2fetc',
  '/v1/views/nobody',
  '/v1/%ff',
  `/v1/${'x'.repeat(4_000)}`,
].map((path) => ['GET', path] as const);
const wrongTargets: Bad[] = ['files', 'explain'].flatMap((what) =>
  [
    '',
    '?',
    '?pid=',
    '?pid=0',
    '?pid=-1',
    '?pid=abc',
    '?pid=1e3',
    '?pid=99999999999',
    '?pid=1&pid=2',
    '?pid=1&cgroup=/',
    '?cgroup=relative',
    '?cgroup=',
    '?cgroup=/no/such',
    '?cgroup=/../../etc',
    '?view=',
    '?view=no=such',
    '?view=..',
    '?colour=red',
    `?pid=${noPid}`,
    '?cgroup=/%00',
    `?cgroup=/${'a'.repeat(3_000)}`,
    '?view=%25zz',
    '?pid[]=1',
    '?cgroup=/./..',
  ].map((query) => ['GET', `/v1/${what}/proc/meminfo${query}`] as const),
);
const wrongBodies: Bad[] = [
  '',
  '{',
  'null',
  '[]',
  '"x"',
  '5',
  '{"tree":"/x"}',
  '{"freshness":"forever"}',
  '{"freshness":null}',
  '{"cpu":5}',
  '{"cpu":{"count":["quota"]}}',
  '{"cpu":{"colour":"red"}}',
  '{"colour":"red"}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"files":["/etc/passwd"]}',
  '{"files":{}}',
  '{"profiles":[{}]}',
  '{"profiles":"all"}',
  '{"log":{"level":"loud"}}',
  '{"log":{"level":{"a":1}}}',
  '{"run_dir":"/x"}',
  `{"${'k'.repeat(1_000)}":1}`,
  `{"files":[${'"proc/none",'.repeat(500)}"x"]}`,
  '{"swap":2}',
  '{"on_failure":[]}',
].map((body) => ['PATCH', '/v1/config', body, json] as const);
const wrongTypes: Bad[] = ['text/plain', 'application/xml', 'multipart/form-data', 'x'].map(
  (type) => ['PATCH', '/v1/config', '{"swap":"on"}', { 'content-type': type }] as const,
);
const hugeBodies: Bad[] = Array.from(
  { length: 10 },
  () => ['PATCH', '/v1/config', `{"x":"${'y'.repeat(100_000)}"}`, json] as const,
);
const unwantedBodies: Bad[] = ['{"a":1}', '[1]', '5'].map(
  (body) => ['POST', '/v1/reload', body, json] as const,
);
const endedPids = Array.from({ length: 10 }, () => spawnSync('true').pid);
const unknownPids = Array.from({ length: 50 }, (_, index) => noPid + index);
const deadPids: Bad[] = [...endedPids, ...unknownPids].map((pid, index) => {
  const what = index % 2 === 0 ? 'files' : 'explain';
  return ['GET', `/v1/${what}/proc/stat?pid=${pid}`] as const;
});
const bad = [
  ...wrongMethods,
  ...wrongPaths,
  ...wrongTargets,
  ...wrongBodies,
  ...wrongTypes,
  ...hugeBodies,
  ...unwantedBodies,
  ...deadPids,
];

const noHttp = [
  '\0\0\0\0',
  'hello\r\n\r\n',
  'GET\r\n\r\n',
  'GET /v1/status HTTP/9\r\n\r\n',
  'POST /v1/stop HTTP/1.1\r\ncontent-length: -1\r\n\r\n',
  `GET /v1/status HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
  'PATCH /v1/config HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
];

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function expectClear({ status, body }: Answer, request: Bad): void {
  const what = `${request[0]} ${request[1]} ${request[2] ?? ''}`.slice(0, 200);
  expect(status, what).toBeGreaterThanOrEqual(400);
  expect(status, what).toBeLessThan(500);
  const { error } = errorReply.parse(JSON.parse(body));
  expect(error.message, what).toMatch(/\w{3}/);
  expect(error.message, what).not.toMatch(/\n {4}at |undefined/);
}

describe('hostile requests', () => {
  test(`are refused, all ${bad.length + noHttp.length}, with memory flat`, async () => {
    expect(bad.length + noHttp.length).toBeGreaterThanOrEqual(200);
    await using daemon = await RunningDaemon.start();
    const socketPath = `${daemon.runDir}/control.sock`;
    const pid = Number(JSON.parse((await daemon.command('status', '--json')).stdout).workerPid);
    const round = async () => {
      for (const request of bad) expectClear(await send(socketPath, ...request), request);
      for (const bytes of noHttp)
        expect(await sendBytes(socketPath, bytes)).toMatch(/^HTTP\/1.1 4/);
    };
    // The first rounds make the JavaScript engine compile and fill its caches.
    for (let count = 0; count < 5; count += 1) await round();
    const before = residentKib(pid);
    for (let count = 0; count < 20; count += 1) await round();
    expect(residentKib(pid) - before).toBeLessThan(32 * 1024);
    expect((await daemon.command('status')).code).toBe(0);
  }, 120_000);

  test('of many at once and half sent leave room for others when they go', async () => {
    await using daemon = await RunningDaemon.start();
    const socketPath = `${daemon.runDir}/control.sock`;
    const half = Array.from({ length: 70 }, () => {
      const socket = connect(socketPath);
      socket.on('error', () => {});
      socket.write('PATCH /v1/config HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
      return socket;
    });
    for (const socket of half) socket.destroy();
    await expect.poll(async () => (await daemon.command('status')).code).toBe(0);
  });
});
