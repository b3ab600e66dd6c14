// SPDX-License-Identifier: Apache-2.0
// A configuration as it would be written in the file. Pure.
import type { Config, Duration } from './schema.js';

/** The same tree with every value as the file has it. */
export function configTexts(config: Config): Record<string, unknown> {
  return toText(config) as Record<string, unknown>;
}

/** Such as "10ms": the largest unit that needs no fraction. */
export function durationText({ usec }: Duration): string {
  if (usec === 0) return '0';
  if (usec % 1_000_000 === 0) return `${usec / 1_000_000}s`;
  return usec % 1_000 === 0 ? `${usec / 1_000}ms` : `${usec}us`;
}

function toText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toText);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value !== 'object' || value === null) return value;
  if ('usec' in value) return durationText(value as Duration);
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, toText(inner)]));
}
