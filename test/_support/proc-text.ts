// SPDX-License-Identifier: Apache-2.0
// Files of /proc as a program in a container reads them: another reading of the formats than
// lensfs's own.

/** The columns of a "cpu" line that lensfs fills, in clock ticks. */
export interface CpuColumns {
  user: number;
  nice: number;
  system: number;
  idle: number;
  steal: number;
  /** The sum of all columns. */
  total: number;
}

export interface StatText {
  /** "cpu", "cpu0", ... and their columns. */
  cpus: Record<string, CpuColumns>;
  /** The first number of every other line. */
  others: Record<string, number>;
}

/** Labels and values of meminfo. */
export function parseMemInfo(text: string): Record<string, number> {
  const lines = [...text.matchAll(/^(\S+): +(\d+)(?: kB)?$/gm)];
  const isWhole = lines.length > 0 && lines.length === text.split('\n').length - 1;
  if (!isWhole) throw new Error(`Not a meminfo: ${text}`);
  return Object.fromEntries(lines.map(([, label = '', value]) => [label, Number(value)]));
}

/** The numbers of the CPUs in a cpuinfo. */
export function parseProcessors(text: string): number[] {
  return [...text.matchAll(/^processor\s*: (\d+)$/gm)].map(([, number]) => Number(number));
}

export function parseStat(text: string): StatText {
  const stat: StatText = { cpus: {}, others: {} };
  for (const line of text.trimEnd().split('\n')) {
    const [name = '', ...values] = line.split(/ +/);
    if (name.startsWith('cpu')) stat.cpus[name] = toColumns(values.map(Number));
    else stat.others[name] = Number(values[0]);
  }
  return stat;
}

/** "cpu0", "cpu1", ... -> their numbers. */
export function cpuNumbers(cpus: Record<string, CpuColumns>): number[] {
  return Object.keys(cpus)
    .filter((name) => name !== 'cpu')
    .map((name) => Number(name.slice('cpu'.length)));
}

/** "0-2,5" -> 0, 1, 2, 5. */
export function parseCpuList(text: string): number[] {
  const parts = text.trim().split(',').filter(Boolean);
  return parts.flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function toColumns(values: number[]): CpuColumns {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    values;
  const total = user + nice + system + idle + iowait + irq + softirq + steal;
  return { user, nice, system, idle, steal, total };
}
