// SPDX-License-Identifier: Apache-2.0
// Makes v2-256cpu-synthetic.tree from the captured v2-64cpu.tree, by repeating its CPUs four times:
// npx vite-node scripts/capture/multiply-cpus.ts
//
// Repeated: blocks of cpuinfo, cpu lines of stat, cpuN directories, each copy with packages of its
// own. Adjusted: the cpu line of stat and the idle time of uptime (sums), every list and mask that
// names all CPUs, and the container on two ranges, which gets 0-3,128-131. Left out for size: most of
// topology/, and slabinfo. All else is the 64-CPU host's, byte for byte.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type FileEntry, formatTree, parseTree, type TreeEntry } from '../../test/_support/tree.js';

const hosts = fileURLToPath(new URL('../../test/fixtures/hosts/', import.meta.url));
const copies = 4;
const cpusBefore = 64;
const packagesBefore = 2;
const lists: Readonly<Record<string, string>> = { '0-63': '0-255', '0-3,32-35': '0-3,128-131' };
const keptTopology = [
  'core_id',
  'physical_package_id',
  'core_siblings_list',
  'thread_siblings_list',
];
const cpuDirectory = /^sys\/devices\/system\/cpu\/cpu(\d+)\/(.+)$/;
const copyNumbers = Array.from({ length: copies }, (_, copy) => copy);

function multiply(entry: TreeEntry): TreeEntry[] {
  if (entry.path === 'proc/slabinfo') return [];
  if (entry.kind !== 'file') return [entry];
  const inCpu = cpuDirectory.exec(entry.path);
  if (inCpu !== null) return multiplyCpuFile(entry, Number(inCpu[1]), inCpu[2] ?? '');
  return [withText(entry, rewrite(entry.path, entry.content.toString('latin1')))];
}

function rewrite(path: string, text: string): string {
  if (path === 'proc/cpuinfo') return multiplyCpuinfo(text);
  if (path === 'proc/stat') return multiplyStat(text);
  if (path === 'proc/uptime')
    return text.replace(/ (.*)\n/, (_, idle) => ` ${fixed(Number(idle))}\n`);
  if (/\/status$/.test(path)) return text.replace(/^(Cpus_allowed).*\n\1_list:\t(.*)$/m, allowed);
  if (/\/cpuset\.cpus|^sys\/devices\/system\/cpu\//.test(path)) return renameList(text);
  return text;
}

function fixed(idleSeconds: number): string {
  return (idleSeconds * copies).toFixed(2);
}

function allowed(_match: string, key: string, list: string): string {
  const renamed = renameList(`${list}\n`).trimEnd();
  return `${key}:\t${maskOf(renamed)}\n${key}_list:\t${renamed}`;
}

/** Words of 32 bits, the highest first, as the kernel prints a mask of 256 possible CPUs. */
function maskOf(list: string): string {
  const words = new Array<number>((cpusBefore * copies) / 32).fill(0);
  for (const range of list.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let cpu = first; cpu <= last; ++cpu) {
      const word = Math.floor(cpu / 32);
      words[word] = ((words[word] ?? 0) | (1 << (cpu % 32))) >>> 0;
    }
  }
  return words
    .reverse()
    .map((word) => word.toString(16).padStart(8, '0'))
    .join(',');
}

function renameList(text: string): string {
  const list = text.trimEnd();
  return text.replace(list, lists[list] ?? list);
}

function multiplyCpuinfo(text: string): string {
  const shift = (line: RegExp, amount: number) => (block: string) =>
    block.replace(line, (_, head: string, number: string) => `${head}${Number(number) + amount}`);
  const copyOf = (copy: number): string =>
    [
      shift(/^(processor\t: )(\d+)/m, copy * cpusBefore),
      shift(/^(physical id\t: )(\d+)/m, copy * packagesBefore),
      shift(/^(apicid\t\t: )(\d+)/m, copy * cpusBefore),
      shift(/^(initial apicid\t: )(\d+)/m, copy * cpusBefore),
    ]
      .reduce((blocks, change) => blocks.map(change), text.split(/(?<=\n\n)/))
      .join('');
  return copyNumbers.map(copyOf).join('');
}

function multiplyStat(text: string): string {
  const lines = text.split(/(?<=\n)/);
  const total = (lines[0] ?? '').replace(/\d+/g, (number) => `${Number(number) * copies}`);
  const cpus = lines.filter((line) => /^cpu\d/.test(line));
  const copyOf = (copy: number): string[] =>
    cpus.map((line) =>
      line.replace(/^cpu(\d+)/, (_, cpu) => `cpu${Number(cpu) + copy * cpusBefore}`),
    );
  return [total, ...copyNumbers.flatMap(copyOf), ...lines.slice(1 + cpus.length)].join('');
}

function multiplyCpuFile(entry: FileEntry, cpu: number, name: string): FileEntry[] {
  const inTopology = name.replace('topology/', '');
  if (inTopology !== name && !keptTopology.includes(inTopology)) return [];
  const text = entry.content.toString('latin1');
  return copyNumbers.map((copy) => {
    const amount = { physical_package_id: packagesBefore, online: 0, core_id: 0 }[inTopology];
    const shifted = text.replace(
      /\d+/g,
      (number) => `${Number(number) + copy * (amount ?? cpusBefore)}`,
    );
    const path = `sys/devices/system/cpu/cpu${cpu + copy * cpusBefore}/${name}`;
    return { ...withText(entry, shifted), path };
  });
}

function withText(entry: FileEntry, text: string): FileEntry {
  return { ...entry, content: Buffer.from(text, 'latin1') };
}

const source = parseTree(readFileSync(`${hosts}v2-64cpu.tree`));
const document = {
  comments: [...source.comments, 'SYNTHETIC: 64 CPUs made 256 by scripts/capture/multiply-cpus.ts'],
  entries: source.entries.flatMap(multiply),
};
writeFileSync(`${hosts}v2-256cpu-synthetic.tree`, formatTree(document));
