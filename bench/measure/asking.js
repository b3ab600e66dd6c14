// SPDX-License-Identifier: Apache-2.0
// Asks a daemon's control socket and prints how long the answers took, in milliseconds, as JSON.
//
//   node asking.js SOCKET SECONDS CONNECTIONS PERIOD_MS      a period of 0 asks again at once
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , socketPath, seconds, connections, periodMs] = process.argv;
const paths = ['/v1/status', '/v1/views', '/v1/metrics', '/v1/config'];
const warmUpCount = 50;
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const tookMs = [];
let failed = 0;

async function ask(path, socketPath) {
  const since = performance.now();
  await new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent }, (response) => {
      if (response.statusCode !== 200) failed += 1;
      response.resume().once('end', resolve);
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
  tookMs.push(performance.now() - since);
}

async function askOn() {
  for (let count = 0; performance.now() < end; count += 1) {
    await ask(paths[count % paths.length], socketPath);
    if (periodMs !== '0') await sleep(Number(periodMs));
  }
}

/** Its first requests take this process longer than any answer takes: they are somebody else's. */
async function warmUp() {
  const own = `\0lensfs-asking-${randomUUID()}`;
  const server = createServer((_request, response) => response.end('{}')).listen(own);
  await once(server, 'listening');
  for (let count = 0; count < warmUpCount; count += 1) await ask('/', own);
  agent.destroy();
  server.close();
  tookMs.length = 0;
}

await warmUp();
const end = performance.now() + Number(seconds) * 1_000;
await Promise.all(Array.from({ length: Number(connections) }, askOn));
agent.destroy();
tookMs.sort((a, b) => a - b);
const at = (share) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))];
const result = { answers: tookMs.length, failed, p50: at(0.5), p99: at(0.99), max: at(1) };
process.stdout.write(`${JSON.stringify(result)}\n`);
