// SPDX-License-Identifier: Apache-2.0
// Cells -> columns for a terminal or for Markdown. Pure.

export interface Table {
  /** The head first. */
  lines: readonly (readonly string[])[];
  /** So many columns from the left are words, the others numbers. */
  labels: number;
}

export function formatTable({ lines, labels }: Table): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number) =>
    column < labels ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return `${lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')}\n`;
}

export function formatMarkdownTable({ lines, labels }: Table): string {
  const [head = [], ...rest] = lines;
  const rule = head.map((_, column) => (column < labels ? '---' : '---:'));
  return [head, rule, ...rest].map((line) => `| ${line.join(' | ')} |\n`).join('');
}
