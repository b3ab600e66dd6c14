// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { chmod, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ask, askToStop, isListening } from '../../src/control/client.js';
import { errorReply, type StatusReply } from '../../src/control/protocol.js';
import { type ControlHandlers, ControlServer } from '../../src/control/server.js';
import { claimControlSocket, grantControlSocket } from '../../src/control/socket.js';
import { createLogger } from '../../src/logger.js';
import { TempDir } from '../_support/temp-dir.js';

const statusValues: StatusReply = {
  version: '1.2.3',
  pid: 4711,
  workerPid: 4712,
  workers: 1,
  orphaned: false,
  layers: 2,
  uptimeSec: 5,
  tree: '/tree',
  runDir: '/run',
  configProblems: [],
  layout: 'v2',
  findsById: true,
  controllers: { memory: '/sys/fs/cgroup' },
  transport: { kind: 'ring', reason: '', cpus: 2, bytesPerCpu: 245_760, forced: 0 },
  views: 1,
  handles: 2,
  heldDescriptors: 3,
  replays: 2,
  refusals: 1,
  quarantine: [],
  reads: 4,
  renders: 5,
  resolves: 1,
  memoryLevelReads: 0,
  readsByFile: [{ file: 'proc/stat', outcome: 'cached', count: 4 }],
  fallbacks: [{ file: 'proc/stat', cause: 'ENODEV', count: 6 }],
};

const handlers: ControlHandlers = {
  status: async () => ({ ok: true, reply: statusValues }),
  stop: async () => ({ ok: true, reply: { stopped: true } }),
  reload: async () => ({ ok: true, reply: { applied: ['cpu.count'], needsRestart: ['tree'] } }),
  views: async () => ({ ok: true, reply: { views: [] } }),
  view: async ({ params }) => ({ ok: false, code: 'not_found', message: `No view ${params.id}` }),
  files: async () => ({ ok: true, reply: { files: ['proc/stat'] } }),
  file: async ({ params, query }) => ({
    ok: true,
    reply: `${params['*']} ${JSON.stringify(query)}\n`,
  }),
  explain: async () => ({ ok: false, code: 'not_found', message: 'Nothing' }),
  config: async () => ({ ok: true, reply: { config: {}, live: [] } }),
  changeConfig: async ({ body }) => ({
    ok: true,
    reply: { applied: Object.keys(body as object), needsRestart: [] },
  }),
  metrics: async () => ({ ok: true, reply: 'up 1\n' }),
};

const noEvents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };

async function startServer(socketPath: string, changed: Partial<ControlHandlers> = {}) {
  return await ControlServer.start({
    socket: await claimControlSocket(socketPath, String(process.getgid?.())),
    handlers: { ...handlers, ...changed },
    events: noEvents,
    version: '1.2.3',
    peerOf: () => null,
    logger: createLogger('fatal'),
  });
}

async function send(socketPath: string, method: string, path: string, body = '', headers = {}) {
  const outgoing = request({ socketPath, method, path, headers, agent: false });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

async function sendBytes(socketPath: string, bytes: string): Promise<string> {
  const socket = connect(socketPath);
  socket.end(bytes);
  return await text(socket);
}

describe('ControlServer', () => {
  test('answers every request of the protocol', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath);
    expect(await ask(socketPath, 'status')).toEqual(statusValues);
    expect(await ask(socketPath, 'reload')).toEqual({
      applied: ['cpu.count'],
      needsRestart: ['tree'],
    });
  });

  test('makes its directory and opens the socket to owner and group only', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('a/b/control.sock');
    await using _server = await startServer(socketPath);
    expect((await stat(socketPath)).mode & 0o777).toBe(0o660);
  });

  test('listens no more when disposed', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    const server = await startServer(socketPath);
    await ask(socketPath, 'status');
    await server[Symbol.asyncDispose]();
    await expect(ask(socketPath, 'status')).rejects.toMatchObject({ code: 'not_running' });
  });

  test('refuses a directory that a live daemon uses, which goes on', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath);
    await expect(startServer(socketPath)).rejects.toMatchObject({
      code: 'run_dir_in_use',
      message: expect.stringContaining(`lensfs stop --run-dir ${dir.path}`),
    });
    expect(await ask(socketPath, 'status')).toEqual(statusValues);
  });

  test('takes over from a dead daemon', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await leaveStaleSocket(socketPath);
    expect(await isListening(socketPath)).toBe(false);
    await using _server = await startServer(socketPath);
    expect(await ask(socketPath, 'status')).toEqual(statusValues);
  });

  test('gives the socket of a service manager to the group, and misses none that is elsewhere', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using server = createServer().listen(socketPath);
    await once(server, 'listening');
    const gid = process.getuid?.() === 0 ? 77 : Number(process.getgid?.());
    await chmod(socketPath, 0o600);
    await grantControlSocket(socketPath, `${gid}`);
    const { mode, gid: owner } = await stat(socketPath);
    expect([mode & 0o777, owner]).toEqual([0o660, gid]);
    await grantControlSocket(dir.at('elsewhere.sock'), `${gid}`);
  });

  test('removes nothing that is no socket', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await writeFile(socketPath, 'precious');
    await expect(startServer(socketPath)).rejects.toMatchObject({ code: 'socket_failed' });
    expect((await stat(socketPath)).size).toBe(8);
  });

  test('passes on the errors of a handler', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    const message = 'tree: expected an absolute path, got 5';
    await using _server = await startServer(socketPath, {
      reload: async () => ({ ok: false, code: 'invalid_configuration', message }),
    });
    await expect(ask(socketPath, 'reload')).rejects.toMatchObject({
      code: 'invalid_configuration',
      message,
    });
    expect((await send(socketPath, 'POST', '/v1/reload')).status).toBe(422);
  });

  test('finds a view whose id is as long as those of Kubernetes', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath);
    const id = `kubepods.slice=${'x'.repeat(300)}`;
    await expect(ask(socketPath, 'view', { params: { id } })).rejects.toMatchObject({
      code: 'not_found',
      message: `No view ${id}`,
    });
  });

  test('keeps to itself what a failing handler says', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath, {
      status: () => Promise.reject(new Error('secret')),
    });
    const answer = await send(socketPath, 'GET', '/v1/status');
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.body)).toEqual({
      error: { code: 'internal', message: 'Internal error, see the log' },
    });
  });

  test.each([
    ['GET', '/', 404, 'not_found'],
    ['GET', '/v1/nothing', 404, 'not_found'],
    ['GET', '/v1/../etc/passwd', 404, 'not_found'],
    ['GET', '/%zz', 400, 'bad_request'],
    ['POST', '/v1/status', 405, 'method_not_allowed'],
    ['DELETE', '/v1/status', 405, 'method_not_allowed'],
    ['GET', '/v1/stop', 405, 'method_not_allowed'],
    ['GET', '/v1/reload', 405, 'method_not_allowed'],
  ])('answers %s %s with %i', async (method, path, status, code) => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath);
    const answer = await send(socketPath, method, path);
    expect(answer.status).toBe(status);
    expect(errorReply.parse(JSON.parse(answer.body)).error.code).toBe(code);
    expect(answer.headers['content-type']).toContain('application/json');
  });

  test('refuses bodies that are too large or not what they claim to be', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath);
    const json = { 'content-type': 'application/json' };
    const large = await send(socketPath, 'POST', '/v1/reload', `"${'x'.repeat(65_536)}"`, json);
    expect([large.status, errorReply.parse(JSON.parse(large.body)).error.code]).toEqual([
      413,
      'too_large',
    ]);
    const broken = await send(socketPath, 'POST', '/v1/reload', '{', json);
    expect([broken.status, errorReply.parse(JSON.parse(broken.body)).error.code]).toEqual([
      400,
      'bad_request',
    ]);
    expect(await ask(socketPath, 'status')).toEqual(statusValues);
  });

  test('reads what a client still sends of a body that is too large, so that it gets the answer', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath);
    const sized = (bytes: number) =>
      `PATCH /v1/config HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;
    const large = 900 * 1024;
    const answer = await sendBytes(socketPath, sized(large) + 'x'.repeat(large));
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*"code":"too_large"/s);
    // And no more of it than that, nor for ever.
    const endless = connect(socketPath);
    endless.on('error', () => {});
    endless.write(sized(2 ** 40));
    const chunk = 'x'.repeat(64 * 1024);
    const pump = () => {
      while (endless.writable && endless.write(chunk));
    };
    endless.on('drain', pump);
    pump();
    await new Promise((resolve) => endless.once('close', resolve));
    expect(endless.bytesWritten).toBeLessThan(8 * 1024 * 1024);
    const silent = connect(socketPath);
    silent.write(`${sized(large)}{`);
    expect(await text(silent)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('answers bytes that are no HTTP, and goes on', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await using _server = await startServer(socketPath);
    const answer = await sendBytes(socketPath, 'hello\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    expect(errorReply.parse(JSON.parse(body)).error.code).toBe('bad_request');
    expect(await ask(socketPath, 'status')).toEqual(statusValues);
  });
});

describe('askToStop()', () => {
  test('returns when the server has gone, not when it answers', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    const order: string[] = [];
    const server = await startServer(socketPath, {
      stop: async () => {
        order.push('answered');
        return { ok: true, reply: { stopped: true } };
      },
    });
    const stopped = askToStop(socketPath).then(() => order.push('returned'));
    await ask(socketPath, 'status');
    order.push('closing');
    await server[Symbol.asyncDispose]();
    order.push('removing');
    await rm(socketPath);
    await stopped;
    expect(order.at(-1)).toBe('returned');
  });

  test('returns also when the server closes before it has answered', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    let closed: PromiseLike<void> | undefined;
    const server = await startServer(socketPath, {
      stop: async () => {
        closed = server[Symbol.asyncDispose]().then(() => rm(socketPath));
        // Long enough for closing to have looked for idle connections, and not found this one.
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { ok: true, reply: { stopped: true } };
      },
    });
    await askToStop(socketPath);
    await closed;
    expect(await isListening(socketPath)).toBe(false);
  });

  test('takes a socket that is closed while it connects for one that nobody listens on', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    const server = createServer().listen(socketPath);
    await once(server, 'listening');
    const isUsed = isListening(socketPath);
    server.close();
    expect(await isUsed).toBe(false);
  });
});

describe('ask()', () => {
  test('says how to start a daemon when there is none', async () => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    await expect(ask(socketPath, 'status')).rejects.toMatchObject({
      code: 'not_running',
      message: expect.stringContaining('lensfs serve'),
    });
  });

  test.each([
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}', 'bad_reply'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull', 'bad_reply'],
    ['HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\nfoo', 'bad_reply'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'no_answer'],
    ['', 'no_answer'],
  ])('does not believe %j', async (answer, code) => {
    await using dir = await TempDir.create();
    const socketPath = dir.at('control.sock');
    const impostor = createServer((socket) => socket.end(answer)).listen(socketPath);
    await once(impostor, 'listening');
    await expect(ask(socketPath, 'status')).rejects.toMatchObject({ code });
    impostor.close();
  });
});

/** What a daemon that was killed leaves: a socket file that nobody listens on. */
async function leaveStaleSocket(socketPath: string): Promise<void> {
  const dying = createServer().listen(`${socketPath}.live`);
  await once(dying, 'listening');
  const { linkSync } = await import('node:fs');
  linkSync(`${socketPath}.live`, socketPath);
  dying.close();
  await once(dying, 'close');
}
