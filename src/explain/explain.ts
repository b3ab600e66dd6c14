// SPDX-License-Identifier: Apache-2.0
// The bytes of a virtual file and what they were made of -> where each number comes from. Pure.
import { baseName, type Input, lineValue } from './inputs.js';
import { findDecider } from './limits.js';
import { type NamedNumber, numbersOf } from './numbers.js';
import { type Rule, ruleOf, type SourceName } from './rules.js';

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
    const rule = isHosts ? hostsOwn : ruleOf(file, number.name);
    const sources = rule.sources.flatMap((name) => findSources(name, rendering.inputs));
    const decidedBy = findDecider(rule.limits ?? [], { ...rendering, file, number });
    const { formula } = rule;
    return { ...number, formula, sources, decidedBy, host: host.get(number.name) ?? null };
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

function findSources([file, key]: SourceName, inputs: readonly Input[]): Source[] {
  const found = new Map<string, Source>();
  for (const { path, text } of inputs) {
    if (!isNamed(path, file) || !isCounted(file, key, text)) continue;
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

/** Whether `path` is the file `name`, in which "*" is any page size. */
function isNamed(path: string, name: string): boolean {
  const [start = '', end] = name.split('*');
  const base = baseName(path);
  return end === undefined ? base === name : base.startsWith(start) && base.endsWith(end);
}
