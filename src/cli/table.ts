// SPDX-License-Identifier: Apache-2.0
// Aligned columns, units and colours for people. Pure.
import { stripVTControlCharacters, styleText } from 'node:util';
import { printable } from '../printable.js';

export interface Column<Row> {
  title: string;
  /** Numbers are aligned right. */
  align?: 'left' | 'right';
  cell: (row: Row) => string;
  /** Where the terminal is too narrow for all columns, the one with the highest number goes first. */
  drop?: number;
  /** To how many characters the last column may be cut before it goes. */
  least?: number;
  /** Emphasis, where colours are wanted. */
  style?: (row: Row) => Style | undefined;
}

export type Style = 'red' | 'yellow' | 'green' | 'bold' | 'dim';

export interface TableOptions {
  /** Of the terminal; longer lines are cut. No limit when not given. */
  width?: number | undefined;
  colours: boolean;
}

const gap = '  ';

/** A header line and one line per row. */
export function formatTable<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  { width, colours }: TableOptions,
): string {
  const columns = fitting(all, rows, width ?? Number.POSITIVE_INFINITY);
  const cells = rows.map((row) => columns.map(({ cell }) => printable(cell(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => (line[index] ?? '').length)),
  );
  const pad = (text: string, index: number) => {
    const size = widths[index] ?? 0;
    if (columns[index]?.align === 'right') return text.padStart(size);
    return index === columns.length - 1 ? text : text.padEnd(size);
  };
  const header = columns.map(({ title }, index) => pad(title, index)).join(gap);
  const lines = rows.map((row, line) =>
    columns.map(({ style }, index) => {
      const text = pad(cells[line]?.[index] ?? '', index);
      const wanted = colours ? style?.(row) : undefined;
      return wanted === undefined ? text : paint(wanted, text);
    }),
  );
  const head = colours ? paint('bold', header) : header;
  return [head, ...lines.map((line) => line.join(gap).trimEnd())]
    .map((line) => `${cut(line, width)}\n`)
    .join('');
}

/** The columns for which there is room. */
function fitting<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): readonly Column<Row>[] {
  const sizes = columns.map(({ title, cell, least = Number.POSITIVE_INFINITY }) =>
    Math.min(least, Math.max(title.length, ...rows.map((row) => printable(cell(row)).length))),
  );
  const total = sizes.reduce((sum, size) => sum + size + gap.length, -gap.length);
  const highest = Math.max(...columns.map(({ drop = 0 }) => drop));
  if (total <= width || highest === 0) return columns;
  return fitting(
    columns.filter(({ drop }) => drop !== highest),
    rows,
    width,
  );
}

/** Such as "1.5 GiB". */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '-';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** Such as "12.3%". */
export function formatPercent(percent: number | null): string {
  return percent === null ? '-' : `${percent.toFixed(percent >= 99.95 ? 0 : 1)}%`;
}

/** `text` in a style, whatever the terminal is: who calls this has decided. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}

function cut(line: string, width: number | undefined): string {
  if (width === undefined) return line;
  const plain = stripVTControlCharacters(line);
  if (plain.length <= width) return line;
  return plain === line ? `${line.slice(0, Math.max(0, width - 1))}…` : cutStyled(line, width);
}

/** Counts what is seen only, and ends in the terminal's own style. */
function cutStyled(line: string, width: number): string {
  let seen = 0;
  let result = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  for (const part of line.match(/\u001b\[[0-9;]*m|./gu) ?? []) {
    if (part.startsWith('\u001b')) {
      result += part;
    } else if (seen < width - 1) {
      result += part;
      seen += 1;
    }
  }
  return `${result}…`;
}
