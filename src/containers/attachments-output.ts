// SPDX-License-Identifier: Apache-2.0
// What attach, detach and repair print. Pure.
import { printable, printableJson } from '../printable.js';
import type { ContainerOutcome } from './attachments.js';

const verbs = { attach: 'attached', detach: 'detached', repair: 'renewed' } as const;

/** A line, and one more for each file that was left as it is; with `json` one line of JSON. */
export function formatOutcome(
  operation: keyof typeof verbs,
  outcome: ContainerOutcome,
  json: boolean,
): string {
  const { key: _, ...rest } = outcome;
  if (json) return `${printableJson(rest)}\n`;
  const { name, pid, error, done, already, left } = outcome;
  const who = name === String(pid) ? `process ${pid}` : `${printable(name)} (process ${pid})`;
  if (error !== undefined) return `${who}: ${printable(error)}\n`;
  const counts = [`${count(done.length)} ${verbs[operation]}`];
  if (already.length > 0) counts.push(`${already.length} as they should be`);
  const lines = left.map(({ path, reason }) => `  left ${printable(path)}: ${printable(reason)}\n`);
  return `${who}: ${counts.join(', ')}\n${lines.join('')}`;
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}
