// SPDX-License-Identifier: Apache-2.0
// Asks a daemon's control socket and prints how long the answers took, in milliseconds, as JSON.
//
//   node asking.js SOCKET SECONDS CONNECTIONS PERIOD_MS      a period of 0 asks again at once
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , socketPath, seconds, connections, periodMs] = process.argv;
const paths = ['/v1/status', '/v1/views', '/v1/metrics', '/v1/config'];
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const end = performance.now() + Number(seconds) * 1_000;
const tookMs = [];
let failed = 0;

async function ask(path) {
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
    await ask(paths[count % paths.length]);
    if (periodMs !== '0') await sleep(Number(periodMs));
  }
}

await Promise.all(Array.from({ length: Number(connections) }, askOn));
agent.destroy();
tookMs.sort((a, b) => a - b);
const at = (share) => tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))];
const result = { answers: tookMs.length, failed, p50: at(0.5), p99: at(0.99), max: at(1) };
process.stdout.write(`${JSON.stringify(result)}\n`);
