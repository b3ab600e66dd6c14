// SPDX-License-Identifier: Apache-2.0
// A run -> a picture of the read rates, on a logarithmic scale. Pure.
import type { DriverName } from './measurement.js';
import type { Run } from './report.js';
import { type Row, summarize } from './statistics.js';

const barHeight = 14;
const gap = 12;
const labelWidth = 250;
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

/** Bars for the load scenarios of a run; nothing when there are none. */
export function formatSvg({ machine, scenarios, measurements }: Run): string {
  const rows = summarize(measurements).filter((row) => row.values.readsPerSecond !== undefined);
  const loads = scenarios.filter(({ task }) => task.kind === 'load');
  const highest = Math.max(10, ...rows.map(rateOf));
  const lowest = Math.max(1, Math.min(highest / 10, ...rows.map(rateOf)) / 2);
  const widthOf = (rate: number) =>
    (Math.log(Math.max(rate, lowest) / lowest) / Math.log(highest / lowest)) * chartWidth;
  const parts: string[] = [];
  let y = margin * 2;
  for (const { name } of loads) {
    for (const row of rows.filter(({ scenario }) => scenario === name)) {
      parts.push(bar(row, y, widthOf(rateOf(row))));
      y += barHeight;
    }
    y += gap;
  }
  const title = `Reads per second, logarithmic: ${machine['cpu']}, Linux ${machine['kernel']}`;
  const width = labelWidth + chartWidth + 100;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + margin}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${margin}" y="${margin}" font-size="14">${escapeXml(title)}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function bar(row: Row, y: number, width: number): string {
  const label = escapeXml(`${row.scenario}, ${row.driver}`);
  const baseline = y + barHeight - 4;
  return [
    `<text x="${labelWidth - 6}" y="${baseline}" text-anchor="end">${label}</text>`,
    `<rect x="${labelWidth}" y="${y}" width="${width.toFixed(1)}" height="${barHeight - 2}" fill="${colors[row.driver]}"/>`,
    `<text x="${(labelWidth + width + 4).toFixed(1)}" y="${baseline}">${rateOf(row).toFixed(0)}</text>`,
  ].join('');
}

function rateOf(row: Row): number {
  return row.values.readsPerSecond?.median ?? 0;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
