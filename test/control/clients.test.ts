// SPDX-License-Identifier: Apache-2.0
// Who may use the control socket of a real daemon, how many at once, and for how long.
import { stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { describe, expect } from 'vitest';
import { ask } from '../../src/control/client.js';
import { errorReply, maxConnections } from '../../src/control/protocol.js';
import { logMessages } from '../../src/logger.js';
import { send } from '../_support/http.js';
import { program, RunningDaemon } from '../_support/lensfs.js';
import { patience } from '../_support/patience.js';
import { built, fuseDevice, root, testWith } from '../_support/requirements.js';
import { waitUntil } from '../_support/wait.js';

const test = testWith(built(program), built('build/Release/addon.node'), root, fuseDevice);

const slowTimeoutMs = 60_000 * patience;

/** A connection that has sent a part of a request, and what came back. */
class HalfRequest implements Disposable {
  readonly #socket: Socket;
  answer = '';
  isClosed = false;

  constructor(socketPath: string, bytes: string) {
    this.#socket = connect({ path: socketPath, allowHalfOpen: true });
    this.#socket.on('data', (chunk) => {
      this.answer += String(chunk);
    });
    this.#socket.on('error', () => {});
    this.#socket.once('close', () => {
      this.isClosed = true;
    });
    this.#socket.once('end', () => this.#socket.end());
    this.#socket.write(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

const halves = [
  'PATCH /v1/config HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  'GET /v1/status HTTP/1.1\r\nhost: x\r\n',
  'G',
];

describe('clients of the control socket', () => {
  test('are root and the group of the configuration', async () => {
    await using daemon = await RunningDaemon.start(['--set', 'control.group=12345']);
    const { mode, uid, gid } = await stat(`${daemon.runDir}/control.sock`);
    expect([(mode & 0o777).toString(8), uid, gid]).toEqual(['660', 0, 12345]);
  });

  test('are logged with process, user and group when they change something', async () => {
    await using daemon = await RunningDaemon.start();
    const answer = await send(`${daemon.runDir}/control.sock`, 'POST', '/v1/reload');
    expect(answer.status).toBe(200);
    expect(await daemon.logged(logMessages.request)).toMatchObject({
      method: 'POST',
      url: '/v1/reload',
      peer: { pid: process.pid, uid: 0, gid: 0 },
    });
  });

  test(
    'who send half a request are told and cut, and their places are free again',
    async () => {
      await using daemon = await RunningDaemon.start();
      const socketPath = `${daemon.runDir}/control.sock`;
      const slow = Array.from({ length: maxConnections }, (_, index) => {
        return new HalfRequest(socketPath, halves[index % halves.length] ?? '');
      });
      try {
        await expect(ask(socketPath, 'status')).rejects.toMatchObject({
          code: 'no_answer',
          message: expect.stringContaining(`has ${maxConnections} clients already`),
        });
        await waitUntil('all are cut', async () => slow.every(({ isClosed }) => isClosed));
        for (const { answer } of slow) {
          expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
          const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
          expect(errorReply.parse(body).error.code).toBe('timeout');
        }
        expect((await daemon.command('status')).code).toBe(0);
      } finally {
        for (const each of slow) each[Symbol.dispose]();
      }
    },
    slowTimeoutMs,
  );
});
