// SPDX-License-Identifier: Apache-2.0
// The webhook in a memory cgroup of the limit that is shipped, under the worst bodies, 60 of each at once.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { defaultValues } from '../../src/kubernetes/manifests/values.js';
import { hasCgroups, TestCgroup } from '../_support/cgroup.js';
import { program } from '../_support/lensfs.js';
import { built, root, testWith } from '../_support/requirements.js';
import { RunningWebhook } from '../_support/webhook.js';
import { container, pod, reviewOf } from './fixtures/fixture.js';

const test = testWith(built(program), root, { met: hasCgroups, missing: 'needs cgroups' });
const path = '/mutate/pods/namespace';
const atOnce = 60;
const mebibyte = 1024 * 1024;
const maxBytes = 3 * mebibyte;
const maxElements = 100_000;

/** A review whose object has `extra` besides what a pod has. */
function review(extra: string): string {
  const text = reviewOf(pod({ zzz: 'EXTRA' }));
  return text.replace('"zzz":"EXTRA"', extra);
}

/** As many of the text as there is room for, in a list. */
function filled(item: string, room = maxBytes): string {
  const count = Math.floor((room - review('"zzz":[]').length - 1) / (item.length + 1));
  return review(`"zzz":[${new Array(count).fill(item).join()}]`);
}

/** The most that the limit on elements lets through, and in the room that is left a text. */
function allowed(list: string, text: string): string {
  const rest = maxBytes - Buffer.byteLength(review(`"zzz":[${list}],"text":""`));
  const count = Math.floor(rest / Buffer.byteLength(text));
  return review(`"zzz":[${list}],"text":"${text.repeat(count)}"`);
}

const many = maxElements - 200;
const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

/** By title, the body and what each may be answered; 429 when it is one too many. */
const bodies: Record<string, [body: string, status: number]> = {
  'an object that is 2.6 million others': [review(`"zzz":[${'{},'.repeat(2_600_000)}{}]`), 413],
  'a million objects': [filled('{}'), 413],
  'a million and a half numbers': [filled('0'), 413],
  'lists within each other': [
    review(`"zzz":${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}`),
    413,
  ],
  'as many objects as are let through': [allowed(`${'{},'.repeat(many / 2)}{}`, 'x'), 200],
  'a text that is twice as long in memory': [allowed('0', 'ж'), 200],
  'as many different members': [review(`"zzz":{${names(many).map((name) => `"${name}":0`)}}`), 200],
  'as many containers': [
    reviewOf(pod({ containers: names(many / 2).map((name) => ({ name })) })),
    200,
  ],
  'as many containers as get a view': [
    reviewOf(pod({ containers: names(512).map((name) => container(name)) })),
    200,
  ],
  'as many volumes and mounts': [
    reviewOf(
      pod({
        volumes: names(many / 16).map((name) => ({ name })),
        containers: names(500).map((name) => ({
          name,
          volumeMounts: names(50).map((each) => ({ name: each, mountPath: `/${each}/..` })),
        })),
      }),
    ),
    200,
  ],
  'an annotation of a million files': [
    reviewOf(pod({ annotations: { 'lensfs.io/files': 'a,'.repeat(maxBytes / 2 - 1000) } })),
    200,
  ],
};

/** v1 counts what was refused and killed in memory.oom_control, v2 in memory.events. */
async function killed(cgroup: TestCgroup): Promise<number> {
  const texts = ['memory.oom_control', 'memory.events'].map((name) =>
    readFile(cgroup.file('memory', name), 'utf8').catch(() => ''),
  );
  return Number(/^oom_kill (\d+)$/m.exec((await Promise.all(texts)).join(''))?.[1]);
}

async function peakBytes(cgroup: TestCgroup): Promise<number> {
  const texts = ['memory.max_usage_in_bytes', 'memory.peak'].map((name) =>
    readFile(cgroup.file('memory', name), 'utf8').catch(() => ''),
  );
  return Number((await Promise.all(texts)).join(''));
}

test('60 of the worst bodies at once cost the webhook no more than its limit', async () => {
  const limit = defaultValues.webhook.resources['limits'].memory;
  const memoryBytes = Number(/^(\d+)Mi$/.exec(limit)?.[1]) * mebibyte;
  await using cgroup = await TestCgroup.create({ memoryBytes });
  const [first, rest] = cgroup.enter('env');
  await using webhook = await RunningWebhook.start(['--drain-ms', '0'], {
    prefix: [first, ...rest],
  });
  const seen: Record<string, string> = {};
  for (const [title, [text, status]] of Object.entries(bodies)) {
    const body = Buffer.from(text);
    const begun = performance.now();
    const replies = await Promise.all(
      Array.from({ length: atOnce }, () =>
        webhook.post(path, body, false).then(
          (reply) => reply.status,
          (error: NodeJS.ErrnoException) => error.code,
        ),
      ),
    );
    const counts = new Map<unknown, number>();
    for (const reply of replies) counts.set(reply, (counts.get(reply) ?? 0) + 1);
    const peak = Math.round((await peakBytes(cgroup)) / mebibyte);
    seen[title] =
      `${JSON.stringify([...counts])}, ${Math.round(performance.now() - begun)} ms, peak ${peak} MiB`;
    expect(
      [...counts.keys()].filter((reply) => reply !== 429 && reply !== status),
      title,
    ).toEqual([]);
    // Small ones find a place whatever the large ones do.
    expect((await webhook.post(path, reviewOf(pod()))).status).toBe(200);
  }
  expect(await killed(cgroup)).toBe(0);
  expect(webhook.child.exitCode).toBeNull();
}, 600_000);
