// SPDX-License-Identifier: Apache-2.0
// What other pods can see of the daemon on a node: a label, and the startup taint that goes when it serves.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, logMessages } from '../logger.js';
import type { ApiClient } from './api-client.js';
import { pointer } from './json-patch.js';
import { nodeReadyLabel } from './names.js';

interface Node {
  metadata: { labels?: Record<string, string> | null };
  spec?: { taints?: { key: string }[] | null };
}

export interface MarkNodeOptions {
  api: Pick<ApiClient, 'get' | 'patch'>;
  /** Of the node. */
  name: string;
  /** The key of the startup taint. */
  taint: string;
  isServing: () => Promise<boolean>;
  intervalMs: number;
  /** How often the node is read although the daemon is what it was: a minute when not given. */
  recheckMs?: number;
  logger: Logger;
  signal: AbortSignal;
}

const defaultRecheckMs = 60_000;

/** Keeps label and taint in step with the daemon until aborted; the node is then "not ready". */
export async function markNode(options: MarkNodeOptions): Promise<void> {
  const { isServing, intervalMs, recheckMs = defaultRecheckMs, signal } = options;
  let shown: { isReady: boolean; at: number } | undefined;
  const show = async (isReady: boolean) => {
    const isFresh = shown !== undefined && performance.now() - shown.at < recheckMs;
    if (isReady === shown?.isReady && isFresh) return;
    const isNews = isReady !== shown?.isReady;
    if (await apply(options, isReady, isNews)) shown = { isReady, at: performance.now() };
  };
  do {
    await show(await isServing());
  } while (await sleepUnlessAborted(intervalMs, signal));
  await show(false);
}

async function apply(
  options: MarkNodeOptions,
  isReady: boolean,
  isNews: boolean,
): Promise<boolean> {
  const { api, name, taint, logger } = options;
  const path = `/api/v1/nodes/${name}`;
  try {
    const patch = nodePatch(await api.get<Node>(path), taint, isReady);
    if (patch.length > 0 && !(await api.patch(path, 'json-patch', patch))) return false;
    if (isNews || patch.length > 0)
      logger.info({ node: name }, isReady ? logMessages.nodeReady : logMessages.nodeNotReady);
    return true;
  } catch (error) {
    logger.error({ err: error, node: name }, logMessages.nodeFailed);
    return false;
  }
}

/** What has to change; empty when nothing. The taint is only ever taken away: pods that run may stay. */
export function nodePatch({ metadata, spec }: Node, taint: string, isReady: boolean): object[] {
  const value = String(isReady);
  const patch: object[] = [];
  if (metadata.labels == null) {
    patch.push({ op: 'add', path: '/metadata/labels', value: { [nodeReadyLabel]: value } });
  } else if (metadata.labels[nodeReadyLabel] !== value) {
    patch.push({ op: 'add', path: pointer('metadata', 'labels', nodeReadyLabel), value });
  }
  const taints = isReady ? (spec?.taints ?? []) : [];
  // From the end, so that the places of the others stay what they are.
  for (const index of [...taints.keys()].reverse()) {
    if (taints[index]?.key !== taint) continue;
    // Somebody else may have changed the list since it was read.
    patch.push({ op: 'test', path: pointer('spec', 'taints', index, 'key'), value: taint });
    patch.push({ op: 'remove', path: pointer('spec', 'taints', index) });
  }
  return patch;
}

async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
