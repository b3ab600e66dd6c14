// SPDX-License-Identifier: Apache-2.0
// The bytes of a virtual file and what they were made of -> where each number comes from. Pure.
import { type NamedNumber, numbersOf } from './numbers.js';
import { type Rule, ruleOf, type SourceName } from './rules.js';

/** A kernel file as it was read. */
export interface Input {
  path: string;
  text: string;
}

/** What the engine tells of one render. */
export interface Rendering {
  text: string;
  /** The host's file; empty where no container may see it. */
  hostText: string;
  isHosts: boolean;
  isOff: boolean;
  cgroup: string;
  initPid: number;
  ageUsec: number;
  cpus: string;
  inputs: readonly Input[];
}

export interface Source {
  path: string;
  key: string;
  value: string;
}

export interface Explained extends NamedNumber {
  formula: string;
  sources: Source[];
  decidedBy: string | null;
  host: string | null;
}

export interface Explanation {
  file: string;
  cgroup: string;
  initPid: number;
  isHosts: boolean;
  reason: string;
  numbers: Explained[];
}

/** Where every number of `file` comes from. */
export function explainFile(file: string, rendering: Rendering): Explanation {
  const { isHosts, cgroup, initPid } = rendering;
  const host = new Map(
    numbersOf(file, rendering.hostText).map(({ name, value }) => [name, value] as const),
  );
  const numbers = numbersOf(file, rendering.text).map((number) => {
    const own = isHosts ? hostsOwn : ruleOf(file, number.name);
    return { ...number, ...explain(own, rendering.inputs), host: host.get(number.name) ?? null };
  });
  return { file, cgroup, initPid, isHosts, reason: reasonOf(rendering), numbers };
}

const hostsOwn: Rule = { formula: "the host's own", sources: [] };

function reasonOf({ isOff, isHosts, ageUsec, cpus }: Rendering): string {
  if (isOff) return "the host's file: the configuration leaves it out of files";
  if (isHosts) return "the host's file: no cgroup on the way to the root governs it";
  const age = `age ${(ageUsec / 1e6).toFixed(2)} s`;
  return cpus === '' ? age : `${age}, CPUs ${cpus}`;
}

function explain(rule: Rule, inputs: readonly Input[]) {
  const sources = rule.sources.flatMap((name) => findSources(name, inputs));
  const decidedBy = rule.limit === undefined ? null : smallestLimit(rule.limit, inputs);
  return { formula: rule.formula, sources, decidedBy };
}

function findSources([file, key]: SourceName, inputs: readonly Input[]): Source[] {
  const found = new Map<string, Source>();
  for (const { path, text } of inputs) {
    if (baseName(path) !== file || !isCounted(file, key, text)) continue;
    const value = key === undefined || key === '*' ? text.trim() : lineValue(text, key);
    if (value !== undefined) found.set(path, { path, key: key === '*' ? '' : (key ?? ''), value });
  }
  return [...found.values()];
}

/** v1's memory.stat has the numbers of the cgroup alone besides those of the subtree, which are the ones that count. */
function isCounted(file: string, key: string | undefined, text: string): boolean {
  if (file !== 'memory.stat' || key === undefined) return true;
  const isV1 = text.includes('hierarchical_memory_limit ');
  return isV1 === /^(total|hierarchical)_/.test(key);
}

/** The rest of the line that begins with `key`, without the unit. */
function lineValue(text: string, key: string): string | undefined {
  for (const line of text.split('\n')) {
    if (!line.startsWith(key)) continue;
    const rest = line.slice(key.length);
    const value = /^:?\s+(\d+)/.exec(rest)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The directory of the smallest limit; `null` when nobody on the way to the root has one. */
function smallestLimit(names: readonly string[], inputs: readonly Input[]): string | null {
  let smallest: { path: string; limit: number } | undefined;
  for (const { path, text } of inputs) {
    if (!names.includes(baseName(path))) continue;
    const limit = limitOf(path, text, inputs);
    if (limit !== undefined && (smallest === undefined || limit < smallest.limit)) {
      smallest = { path, limit };
    }
  }
  return smallest === undefined ? null : directoryOf(smallest.path);
}

/** v1 says "no limit" with the largest multiple of a page, which is near 2^63. */
const v1Unlimited = 2 ** 62;

function limitOf(path: string, text: string, inputs: readonly Input[]): number | undefined {
  const [first = '', second] = text.trim().split(/\s+/);
  const value = Number(first);
  if (!(value > 0) || value >= v1Unlimited) return undefined;
  if (second !== undefined) return value / Number(second);
  if (baseName(path) !== 'cpu.cfs_quota_us') return value;
  const period = inputs.find(
    (input) => input.path === `${directoryOf(path)}/cpu.cfs_period_us`,
  )?.text;
  return value / Number(period ?? 100_000);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
