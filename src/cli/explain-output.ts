// SPDX-License-Identifier: Apache-2.0
// An explanation as `lensfs explain` shows it. Pure.

import type { ExplainedNumber, ExplainReply, MemoryLevel } from '../control/protocol.js';
import { printable } from '../printable.js';
import { type Column, formatBytes, formatTable, type TableOptions } from './table.js';

const maxValueLength = 40;

/** The numbers with their formulas, then the kernel files they are made of. */
export function formatExplanation(reply: ExplainReply, options: TableOptions): string {
  const { file, cgroup, initPid, reason, numbers } = reply;
  const whose = cgroup === '/' ? 'the host' : cgroup;
  const head = printable(`/${file} of ${whose} (init process ${initPid}, ${reason})`);
  const table = formatTable<ExplainedNumber>(
    [
      { title: 'NAME', cell: ({ name }) => name, style: () => 'bold' },
      { title: 'VALUE', align: 'right', cell: ({ value }) => value },
      { title: 'HOST', align: 'right', cell: ({ host }) => host ?? '-', style: () => 'dim' },
      { title: 'HOW', cell: howOf },
    ],
    numbers,
    options,
  );
  const deciding = [...new Set(numbers.flatMap(({ decidedBy }) => decidedBy ?? []))];
  const limits = deciding.map((path) => `Limit set by ${printable(path)}\n`).join('');
  return [
    `${head}\n\n${table}`,
    limits === '' ? '' : `\n${limits}`,
    formatLevels(reply.memoryLevels, options),
    formatSources(numbers, options),
  ].join('');
}

/** What each cgroup on the way to the root leaves, and what else uses it. */
function formatLevels(levels: readonly MemoryLevel[], options: TableOptions): string {
  if (levels.length === 0) return '';
  const columns: Column<MemoryLevel>[] = [
    { title: 'LEVEL', cell: ({ cgroup }) => cgroup, style: () => 'bold' },
    { title: 'LIMIT', align: 'right', cell: ({ limitBytes }) => formatBytes(limitBytes) },
    { title: 'HIGH', align: 'right', cell: ({ highBytes }) => formatBytes(highBytes) },
    { title: 'USAGE', align: 'right', cell: ({ usageBytes }) => formatBytes(usageBytes) },
    {
      title: 'AVAILABLE',
      align: 'right',
      cell: ({ availableBytes }) => formatBytes(availableBytes),
    },
    { title: 'SHARED WITH', cell: neighboursOf },
  ];
  return `\n${formatTable(columns, levels, options)}`;
}

function neighboursOf(level: MemoryLevel): string {
  const others = level.neighbours - level.largest.length;
  return [
    ...level.largest.map(({ name, usageBytes }) => `${name} ${formatBytes(usageBytes)}`),
    ...(others > 0 ? [`${others}${level.hasMoreNeighbours ? ' or more' : ''} others`] : []),
    ...level.protecting.map(
      ({ name, minBytes, lowBytes, usageBytes }) =>
        `${name} keeps ${formatBytes(Math.min(Math.max(minBytes, lowBytes), usageBytes))} (memory.${minBytes >= lowBytes ? 'min' : 'low'})`,
    ),
  ].join(', ');
}

function howOf({ formula, sources }: ExplainedNumber): string {
  const values = sources.map(({ path, key, value }) => `${nameOf(path, key)}=${short(value)}`);
  const shown = [...new Set(values)];
  return shown.length === 0 ? formula : `${formula}  [${shown.join(', ')}]`;
}

function formatSources(numbers: readonly ExplainedNumber[], options: TableOptions): string {
  const paths = [...new Set(numbers.flatMap(({ sources }) => sources.map(({ path }) => path)))];
  if (paths.length === 0) return '';
  return `\n${formatTable([{ title: 'READ FROM', cell: (path: string) => path }], paths, options)}`;
}

function nameOf(path: string, key: string): string {
  const file = path.slice(path.lastIndexOf('/') + 1);
  return key === '' ? file : `${file}:${key}`;
}

function short(value: string): string {
  const line = value.replace(/\s+/g, ' ');
  return line.length > maxValueLength ? `${line.slice(0, maxValueLength)}…` : line;
}
