// SPDX-License-Identifier: Apache-2.0
// The bytes of a virtual file and what they were made of -> where each number comes from. Pure.
import type { HostFile, NumberContext, Source } from './context.js';
import { parseCpuList } from './cpu-list.js';
import type { Input } from './inputs.js';
import { findDecider } from './limits.js';
import type { LevelRoom } from './memory-levels.js';
import { numbersOf } from './numbers.js';
import type { Rule } from './rule.js';
import { ruleOf } from './rules.js';
import { findSources, hostsNumber } from './sources.js';

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
  memoryLevels: readonly LevelRoom[];
}

export interface Explained {
  name: string;
  value: string;
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
  const host = numbersByName(file, rendering.hostText);
  const hostFile = findHostFile(file, rendering.inputs);
  const cpus = parseCpuList(rendering.cpus);
  const numbers = numbersOf(file, rendering.text).map((number) => {
    const context = { ...rendering, cpus, file, number, hostFile };
    const rule = isHosts ? hostsOwn : ruleOf(file, number.name);
    return { ...explainNumber(rule, context), host: host.get(number.name) ?? null };
  });
  return { file, cgroup, initPid, isHosts, reason: reasonOf(rendering), numbers };
}

const hostsOwn: Rule = { formula: "the host's own", sources: [hostsNumber] };

function reasonOf({ isOff, isHosts, ageUsec, cpus }: Rendering): string {
  if (isOff) return "the host's file: the configuration leaves it out of files";
  if (isHosts) return "the host's file: no cgroup on the way to the root governs it";
  const age = `age ${(ageUsec / 1e6).toFixed(2)} s`;
  return cpus === '' ? age : `${age}, CPUs ${cpus}`;
}

function explainNumber(rule: Rule, context: NumberContext) {
  const { name, value } = context.number;
  const sources = rule.sources.flatMap((wanted) => findSources(wanted, context));
  const formula = sources.length === 0 ? (rule.absent ?? rule.formula) : rule.formula;
  return { name, value, formula, sources, decidedBy: findDecider(rule.limits ?? [], context) };
}

function numbersByName(file: string, text: string): Map<string, string> {
  return new Map(numbersOf(file, text).map(({ name, value }) => [name, value] as const));
}

/** The last that was read: before it come files of the same name, of processes. */
function findHostFile(file: string, inputs: readonly Input[]): HostFile | null {
  const end = file.slice(file.indexOf('/'));
  const found = inputs.findLast(({ path }) => path.endsWith(end));
  return found === undefined
    ? null
    : { path: found.path, numbers: numbersByName(file, found.text) };
}
