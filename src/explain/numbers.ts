// SPDX-License-Identifier: Apache-2.0
// The text of a virtual file as named numbers. Pure.

/** One number of a file, under a name that is unlike all others of the file. */
export interface NamedNumber {
  name: string;
  value: string;
  /** How the line begins that it is in, where the file has such lines. */
  line?: string;
  /** Of /proc/cpuinfo: how many CPUs stand before its. */
  block?: number;
}

const cpuColumns = 'user nice system idle iowait irq softirq steal guest guest_nice'.split(' ');

// Documentation/admin-guide/iostats.rst
const diskColumns =
  'reads reads_merged sectors_read read_ms writes writes_merged sectors_written write_ms in_flight io_ms weighted_io_ms discards discards_merged sectors_discarded discard_ms flushes flush_ms'.split(
    ' ',
  );

/** All numbers of a file, in its order. */
export function numbersOf(file: string, text: string): NamedNumber[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  switch (file) {
    case 'proc/meminfo':
      return lines.flatMap((line) => pair(line, /^([^:]+):\s*(\d+)/));
    case 'proc/vmstat':
      return lines.flatMap((line) => pair(line, /^(\S+) (\d+)/));
    case 'proc/stat':
      return lines.flatMap(statLine);
    case 'proc/uptime':
      return columns(lines[0] ?? '', ['uptime', 'idle']);
    case 'proc/loadavg':
      return loadAverage(lines[0] ?? '');
    case 'proc/swaps':
      return lines.slice(1).flatMap(swapLine);
    case 'proc/diskstats':
      return lines.flatMap(diskLine);
    case 'proc/cpuinfo':
      return cpuInfo(text);
    case 'proc/slabinfo':
      return slabInfo(lines);
    default:
      if (file.startsWith('proc/pressure/')) return lines.flatMap(pressureLine);
      if (file.startsWith('sys/')) return [{ name: 'list', value: lines[0] ?? '' }];
      return [];
  }
}

function pair(line: string, pattern: RegExp): NamedNumber[] {
  const [, name, value] = pattern.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [{ name, value, line: name }];
}

function columns(line: string, names: readonly string[]): NamedNumber[] {
  const values = line.trim().split(/\s+/);
  return values.map((value, index) => ({ name: names[index] ?? `column ${index + 1}`, value }));
}

function statLine(line: string): NamedNumber[] {
  const [label = '', ...values] = line.trim().split(/\s+/);
  if (!label.startsWith('cpu')) return [{ name: label, value: values[0] ?? '', line: label }];
  return columns(values.join(' '), cpuColumns).map(({ name, value }) => ({
    name: `${label} ${name}`,
    value,
    line: label,
  }));
}

function loadAverage(line: string): NamedNumber[] {
  return columns(line.replace('/', ' '), ['1 min', '5 min', '15 min', 'running', 'tasks', 'pid']);
}

function swapLine(line: string): NamedNumber[] {
  const values = line.trim().split(/\s+/).slice(-3);
  return columns(values.join(' '), ['size', 'used', 'priority']);
}

function diskLine(line: string): NamedNumber[] {
  const [, , device = '', ...values] = line.trim().split(/\s+/);
  return columns(values.join(' '), diskColumns).map(({ name, value }) => ({
    name: `${device} ${name}`,
    value,
    line: device,
  }));
}

function pressureLine(line: string): NamedNumber[] {
  const [label = '', ...values] = line.trim().split(/\s+/);
  return values
    .flatMap((value) => pair(value, /^(\w+)=([\d.]+)/))
    .map(({ name, value }) => {
      return { name: `${label} ${name}`, value, line: label };
    });
}

// "cpu MHz : 2445.406", "cpu family : 25", "CPU part : 0xd0c", "cache size : 512 KB"; no "model name : 13th Gen".
const cpuInfoNumber = /^([^:]+?)\s*:\s*((?:0x[\da-f]+|\d+(?:\.\d+)?)(?![\w.]).*)$/i;
const cpuInfoProcessor = /^processor(?:\s+\d+)?\s*:/m;
const cpuInfoBlock = /^(?:processor|cpu number)\s*:\s*(\d+)/m;

/** How many CPUs there are; then the numbers of each CPU, and those that are of no CPU. */
function cpuInfo(text: string): NamedNumber[] {
  const lines = text.split('\n');
  const count = lines.filter((line) => cpuInfoProcessor.test(line)).length;
  const found = new Map<string, NamedNumber>();
  let block = 0;
  for (const paragraph of text.split(/\n\s*\n/)) {
    const cpu = cpuInfoBlock.exec(paragraph)?.[1];
    const place = cpu === undefined ? {} : { block: block++ };
    for (const line of paragraph.split('\n')) {
      const [, key, value] = cpuInfoNumber.exec(line) ?? [];
      if (key === undefined || value === undefined) continue;
      const name = cpu === undefined ? key : `cpu${cpu} ${key}`;
      found.set(name, { name, value: value.trim(), line: key, ...place });
    }
  }
  return text === '' ? [] : [{ name: 'processors', value: `${count}` }, ...found.values()];
}

/** Its version, and how many caches follow the header. */
function slabInfo(lines: readonly string[]): NamedNumber[] {
  const version = lines.flatMap((line) => pair(line, /^slabinfo - (version): ([\d.]+)/));
  const caches = lines.filter((line) => !/^(#|slabinfo - )/.test(line)).length;
  return [...version, ...(version.length === 0 ? [] : [{ name: 'caches', value: `${caches}` }])];
}
