// SPDX-License-Identifier: Apache-2.0
// Measurements -> medians, ratios and a table. Pure.
import type { Scenario } from './scenarios.js';

export interface Measurement extends Scenario {
  driver: string;
  round: number;
  readsPerSecond: number;
  cpuUsecPerRead: number;
  p50Usec: number;
  p99Usec: number;
  bytesPerRead: number;
  errors: number;
}

/** The medians of one daemon in one scenario; errors are added up. */
export type Row = Omit<Measurement, 'round'>;

const numbers = ['readsPerSecond', 'cpuUsecPerRead', 'p50Usec', 'p99Usec', 'bytesPerRead'] as const;

export function summarize(measurements: readonly Measurement[]): Row[] {
  const groups = new Map<string, Measurement[]>();
  for (const one of measurements) {
    const key = [one.file, one.access, one.clients, one.driver].join(' ');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { round: _, ...row } = first;
    for (const name of numbers) row[name] = median(group.map((one) => one[name]));
    row.errors = group.reduce((sum, one) => sum + one.errors, 0);
    return [row];
  });
}

/** One line for each daemon, with how it compares to `peer` in the same scenario. */
export function formatTable(rows: readonly Row[], peer: string): string {
  const head = ['file', 'access', 'clients', 'daemon', 'reads/s', '×', 'CPU µs/read', '×'];
  const lines = [[...head, 'p50 µs', 'p99 µs', 'bytes', 'errors']];
  for (const row of rows) {
    const other = rows.find((one) => one.driver === peer && sameScenario(one, row));
    const ratio = (name: 'readsPerSecond' | 'cpuUsecPerRead') =>
      other === undefined || other === row ? '' : (row[name] / other[name]).toFixed(2);
    lines.push([
      ...[row.file, row.access, `${row.clients}`, row.driver],
      ...[row.readsPerSecond.toFixed(0), ratio('readsPerSecond')],
      ...[row.cpuUsecPerRead.toFixed(1), ratio('cpuUsecPerRead')],
      ...[row.p50Usec.toFixed(1), row.p99Usec.toFixed(1)],
      ...[row.bytesPerRead.toFixed(0), `${row.errors}`],
    ]);
  }
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number) =>
    column < 4 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return `${lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')}\n`;
}

function sameScenario(a: Scenario, b: Scenario): boolean {
  return a.file === b.file && a.access === b.access && a.clients === b.clients;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
