// SPDX-License-Identifier: Apache-2.0
// The samples of a soak -> a picture with a panel for each line, and the deaths of workers. Pure.
import { type Line, lines, type Sample } from './samples.js';

const width = 900;
const left = 90;
const right = 20;
const panelHeight = 130;
const titleHeight = 30;
const margin = 24;

const titles: Readonly<Record<Line, string>> = {
  rssMib: 'Resident memory of the worker, MiB',
  descriptors: 'Descriptors of the worker',
  threads: 'Threads of the worker',
  views: 'Views',
};

export function formatSoakSvg(
  title: string,
  samples: readonly Sample[],
  deathsSec: readonly number[],
): string {
  const lastSec = Math.max(1, ...samples.map(({ seconds }) => seconds));
  const height = margin * 2 + lines.length * (panelHeight + titleHeight);
  const x = (seconds: number) => left + (seconds / lastSec) * (width - left - right);
  const panels = lines.map((line, index) => {
    const top = margin + titleHeight + index * (panelHeight + titleHeight);
    const highest = Math.max(1, ...samples.map((sample) => sample[line])) * 1.1;
    const y = (value: number) => top + panelHeight * (1 - value / highest);
    const points = samples.map(
      (each) => `${x(each.seconds).toFixed(1)},${y(each[line]).toFixed(1)}`,
    );
    const deaths = deathsSec.map(
      (at) =>
        `<line x1="${x(at).toFixed(1)}" x2="${x(at).toFixed(1)}" y1="${top}" y2="${top + panelHeight}" stroke="#c1666b" stroke-dasharray="2 3"/>`,
    );
    return [
      `<text x="${left}" y="${top - 6}">${titles[line]}</text>`,
      `<rect x="${left}" y="${top}" width="${width - left - right}" height="${panelHeight}" fill="none" stroke="#c9cdd4"/>`,
      `<text x="${left - 6}" y="${top + 10}" text-anchor="end">${highest.toFixed(0)}</text>`,
      `<text x="${left - 6}" y="${top + panelHeight}" text-anchor="end">0</text>`,
      ...deaths,
      `<polyline points="${points.join(' ')}" fill="none" stroke="#0b6e4f"/>`,
    ].join('\n');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="${left}" y="${margin}" font-size="14">${title}</text>`,
    ...panels,
    `<text x="${left}" y="${height - 8}">0 s</text>`,
    `<text x="${width - right}" y="${height - 8}" text-anchor="end">${lastSec.toFixed(0)} s; dashed: a worker was killed</text>`,
    '</svg>\n',
  ].join('\n');
}
