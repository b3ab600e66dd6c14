// SPDX-License-Identifier: Apache-2.0
// A run -> a picture of its figures, on a logarithmic scale. Pure.
import type { DriverName, Metric } from './measurement.js';
import type { Run } from './report.js';
import type { Task } from './scenarios.js';
import { type Row, summarize } from './statistics.js';

const barHeight = 14;
const gap = 12;
const labelWidth = 280;
const chartWidth = 560;
const margin = 24;

const colors: Record<DriverName, string> = {
  'lensfs-pinned': '#0b6e4f',
  'lensfs-shared': '#3fa34d',
  'lensfs-ring': '#7bc950',
  lxcfs: '#c1666b',
  'fuse-native': '#d4a24c',
  'host-proc': '#8d99ae',
  'plain-file': '#c9cdd4',
  'bare-ring': '#e3e5e8',
};

/** What there is a picture of: a kind of scenario by one of its figures. */
const pictures: readonly { kind: Task['kind']; metric: Metric; title: string; digits: number }[] = [
  { kind: 'load', metric: 'readsPerSecond', title: 'Reads per second, logarithmic', digits: 0 },
  {
    ...{ kind: 'oom', metric: 'errorPercent', digits: 1 },
    title: 'What MemAvailable was off by when the container was ended, % of its limit, logarithmic',
  },
];

/** Bars for each picture's scenarios of a run; nothing when there are none. */
export function formatSvg({ machine, scenarios, measurements }: Run): string {
  const parts: string[] = [];
  let y = margin;
  for (const { kind, metric, title, digits } of pictures) {
    const figureOf = (row: Row) => row.values[metric]?.median ?? 0;
    const rows = summarize(measurements).filter((row) => row.values[metric] !== undefined);
    const shown = scenarios.filter(({ task }) => task.kind === kind);
    if (rows.length === 0 || shown.length === 0) continue;
    const highest = Math.max(10, ...rows.map(figureOf));
    const lowest = Math.max(0.05, Math.min(highest / 10, ...rows.map(figureOf)) / 2);
    const widthOf = (value: number) =>
      (Math.log(Math.max(value, lowest) / lowest) / Math.log(highest / lowest)) * chartWidth;
    const head = `${title}: ${machine['cpu']}, Linux ${machine['kernel']}`;
    parts.push(`<text x="${margin}" y="${y}" font-size="14">${escapeXml(head)}</text>`);
    y += margin;
    for (const { name } of shown) {
      for (const row of rows.filter(({ scenario }) => scenario === name)) {
        parts.push(bar(row, y, widthOf(figureOf(row)), figureOf(row).toFixed(digits)));
        y += barHeight;
      }
      y += gap;
    }
    y += margin;
  }
  const width = labelWidth + chartWidth + 100;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function bar(row: Row, y: number, width: number, value: string): string {
  const label = escapeXml(`${row.scenario}, ${row.driver}`);
  const baseline = y + barHeight - 4;
  return [
    `<text x="${labelWidth - 6}" y="${baseline}" text-anchor="end">${label}</text>`,
    `<rect x="${labelWidth}" y="${y}" width="${width.toFixed(1)}" height="${barHeight - 2}" fill="${colors[row.driver]}"/>`,
    `<text x="${(labelWidth + width + 4).toFixed(1)}" y="${baseline}">${value}</text>`,
  ].join('');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
