// SPDX-License-Identifier: Apache-2.0
// The label and the taint of a node, through the API.
import { describe, expect, test } from 'vitest';
import { ApiClient } from '../../src/kubernetes/api-client.js';
import { type MarkNodeOptions, markNode, nodePatch } from '../../src/kubernetes/node.js';
import { createLogger } from '../../src/logger.js';
import { ApiServer } from '../_support/api-server.js';
import { waitUntil } from '../_support/wait.js';

const taint = 'lensfs.io/agent-not-ready';
const other = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
const ours = { key: taint, effect: 'NoSchedule' };
const path = '/api/v1/nodes/worker';

function node(labels: Record<string, string> | null, taints?: { key: string }[] | null) {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'worker', labels },
    spec: { podCIDR: '10.0.0.0/24', ...(taints !== undefined && { taints }) },
  };
}

/** Marks the node, of a daemon that serves when nothing else is said. */
function mark(api: ApiServer, signal: AbortSignal, more: Partial<MarkNodeOptions> = {}) {
  return markNode({
    api: new ApiClient({ server: api.url, credentialsDir: api.credentialsDir }),
    name: 'worker',
    taint,
    isServing: async () => true,
    intervalMs: 10,
    logger: createLogger('fatal'),
    signal,
    ...more,
  });
}

describe('markNode()', () => {
  test('follows the daemon, and leaves everything else of the node alone', async () => {
    await using api = await ApiServer.start();
    api.put(path, node({ disk: 'ssd' }, [other, ours, { ...ours, effect: 'NoExecute' }]));
    let serves = false;
    let asked = 0;
    const stop = new AbortController();
    const marking = mark(api, stop.signal, {
      isServing: async () => {
        asked += 1;
        return serves;
      },
    });
    const label = () => api.objects.get(path).metadata.labels['lensfs.io/ready'];
    await waitUntil('not ready', () => label() === 'false');
    expect(api.objects.get(path).spec.taints).toHaveLength(3);
    serves = true;
    await waitUntil('ready', () => label() === 'true');
    expect(api.objects.get(path).spec).toEqual({ podCIDR: '10.0.0.0/24', taints: [other] });
    expect(api.objects.get(path).metadata.labels.disk).toBe('ssd');
    // Nothing is written while nothing changes.
    const written = api.requests.length;
    const before = asked;
    await waitUntil('asked again', () => asked > before + 5);
    expect(api.requests).toHaveLength(written);
    stop.abort();
    await marking;
    expect(label()).toBe('false');
  });

  test('puts right what somebody else has changed', async () => {
    await using api = await ApiServer.start();
    api.put(path, node({ disk: 'ssd' }, [other]));
    const stop = new AbortController();
    const marking = mark(api, stop.signal, { recheckMs: 30 });
    const label = () => api.objects.get(path).metadata.labels['lensfs.io/ready'];
    await waitUntil('ready', () => label() === 'true');
    api.put(path, node({ disk: 'hdd' }, [other, ours]));
    await waitUntil('ready again', () => label() === 'true');
    expect(api.objects.get(path).spec.taints).toEqual([other]);
    stop.abort();
    await marking;
    expect(label()).toBe('false');
  });

  test('tries again when the API server does not answer as it should', async () => {
    await using api = await ApiServer.start();
    const stop = new AbortController();
    const marking = mark(api, stop.signal);
    await waitUntil('it was refused', () => api.requests.length > 2);
    api.put(path, node(null, null));
    await waitUntil(
      'ready',
      () => api.objects.get(path).metadata.labels?.['lensfs.io/ready'] === 'true',
    );
    stop.abort();
    await marking;
  });
});

describe('nodePatch()', () => {
  test('is empty when nothing has to change', () => {
    expect(nodePatch(node({ 'lensfs.io/ready': 'true' }, [other]), taint, true)).toEqual([]);
    expect(nodePatch(node({ 'lensfs.io/ready': 'false' }, [ours]), taint, false)).toEqual([]);
  });

  test('tests each taint before it removes it', () => {
    expect(
      nodePatch(node({ 'lensfs.io/ready': 'true' }, [ours, other, ours]), taint, true),
    ).toEqual([
      { op: 'test', path: '/spec/taints/2/key', value: taint },
      { op: 'remove', path: '/spec/taints/2' },
      { op: 'test', path: '/spec/taints/0/key', value: taint },
      { op: 'remove', path: '/spec/taints/0' },
    ]);
  });
});
