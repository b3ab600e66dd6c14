// SPDX-License-Identifier: Apache-2.0
// What a page shows of a terminal, compared with what the program prints now: the form, as values differ. Pure.

export interface Capture {
  command: string;
  /** What it printed; a line "…" stands for lines that are left out, and "…" within a line for any text. */
  lines: string[];
}

/** Each "$ COMMAND" of a block, with the lines below it. */
export function capturesOf(text: string): Capture[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...lines] = part.trimEnd().split('\n');
      return { command, lines };
    });
}

/** In what a table is not of the form that is shown: headings, number of cells, marks within them. */
export function tableProblems(shown: readonly string[], printed: string): string[] {
  const [titles = [], ...rows] = shown.map(cellsOf);
  const [printedTitles = [], example = []] = printed.split('\n').map(cellsOf);
  if (titles.join() !== printedTitles.join()) {
    return [`shows the columns ${titles.join()}, printed are ${printedTitles.join()}`];
  }
  const [wanted, ...forms] = [example, ...rows].map((row) => row.map(marksOf));
  return forms.flatMap((form, index) => {
    const isSame =
      form.length === titles.length &&
      form.every((marks, cell) => marks === '-' || ['-', marks].includes(wanted?.[cell] ?? ''));
    return isSame ? [] : [`"${shown[index + 1]}" has other cells than "${example.join('  ')}"`];
  });
}

/** The lines that are shown but not printed at their place, numbers aside; one for all that is missing at the end. */
export function lineProblems(shown: readonly string[], printed: string): string[] {
  const rest = printed.trimEnd().split('\n').map(withoutNumbers);
  let mayLeaveOut = false;
  for (const line of shown) {
    if (line === '…') {
      mayLeaveOut = true;
      continue;
    }
    const pattern = patternOf(line);
    const found = rest.findIndex((each) => pattern.test(each));
    if (found === -1 || (found > 0 && !mayLeaveOut)) return [`"${line}" is not what is printed`];
    rest.splice(0, found + 1);
    mayLeaveOut = false;
  }
  return rest.length === 0 || mayLeaveOut ? [] : [`does not show "${rest[0]}"`];
}

function cellsOf(line: string): string[] {
  return line.trim().split(/ {2,}/);
}

/** What is around letters and numbers, such as "/" of "472 KiB / 64.0 MiB"; a lone "-" is no value. */
function marksOf(cell: string): string {
  return cell === '-' ? '-' : cell.replace(/[\w\s.,…-]/g, '').replace(/^\/+$/, '/');
}

function withoutNumbers(line: string): string {
  return line
    .replace(/\b[0-9a-f]{12,}\b/g, '0')
    .replace(/\d+(\.\d+)*/g, '0')
    .replace(/ +/g, ' ')
    .trimEnd();
}

function patternOf(line: string): RegExp {
  const parts = withoutNumbers(line).split('…');
  const quoted = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${quoted.join('.*')}$`);
}
