// SPDX-License-Identifier: Apache-2.0
// The kernel files of one number, out of all that a rendering was made of. Pure.
import type { NumberContext, Source } from './context.js';
import { baseName, type Input, lineValue } from './inputs.js';

/** A kernel file and, where it has several numbers, the one of them; `*` is all that is in it. */
export type SourceName = readonly [file: string, key?: string];

/** For what a name alone does not say. */
export type SourceFinder = (context: NumberContext) => Source[];

export function findSources(wanted: SourceName | SourceFinder, context: NumberContext): Source[] {
  return typeof wanted === 'function' ? wanted(context) : findNamed(wanted, context.inputs);
}

/** The same number of the host's own file. */
export function hostsNumber({ number, hostFile }: NumberContext): Source[] {
  return sourceOf(hostFile, number.line ?? '', hostFile?.numbers.get(number.name));
}

/** The number of the host's /proc/cpuinfo for the CPU that the block is of. */
export function hostsCpu({ number, cpus, hostFile }: NumberContext): Source[] {
  const name = number.name.replace(/^cpu\d+/, `cpu${cpus[number.block ?? 0]}`);
  return sourceOf(hostFile, number.line ?? '', hostFile?.numbers.get(name));
}

/** When the container's init process started, in 1/100 s since boot. */
export function initStart({ initPid, inputs }: NumberContext): Source[] {
  return inputs
    .filter(({ path }) => path.endsWith(`/${initPid}/stat`))
    .slice(0, 1)
    .flatMap((input) => sourceOf(input, '', statFields(input)[startTimeField]));
}

/** The lists of the container's tasks. */
export function taskLists({ inputs }: NumberContext): Source[] {
  return inputs.filter(isTaskList).map(({ path, text }) => ({ path, key: '', value: text.trim() }));
}

/** The tasks that are in one of `states`, such as "RD". */
export function tasksIn(states: string): SourceFinder {
  return ({ inputs }) => {
    const tasks = new Set(inputs.filter(isTaskList).flatMap(({ text }) => text.split('\n')));
    const found = new Map<string, Source>();
    for (const input of inputs) {
      const task = /\/(\d+)\/stat$/.exec(input.path)?.[1];
      const state = statFields(input)[0] ?? '';
      if (task === undefined || !tasks.has(task) || !states.includes(state)) continue;
      found.set(input.path, { path: input.path, key: '', value: state });
    }
    return [...found.values()];
  };
}

/** The numbers of the newest task in the pid namespaces that it is in. */
export function newestTask({ inputs }: NumberContext): Source[] {
  const status = inputs.find(({ path }) => /\/\d+\/status$/.test(path));
  return sourceOf(status, 'NSpid', /^NSpid:\s*(.*)$/m.exec(status?.text ?? '')?.[1]);
}

// Field 22 of proc_pid_stat(5), counted from the state, which is the third.
const startTimeField = 22 - 3;

/** From the state on: a process may have any name. */
function statFields({ text }: Input): string[] {
  return text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
}

function isTaskList({ path }: Input): boolean {
  return ['tasks', 'cgroup.threads'].includes(baseName(path));
}

function sourceOf(
  file: { path: string } | null | undefined,
  key: string,
  value: string | undefined,
): Source[] {
  return file == null || value === undefined ? [] : [{ path: file.path, key, value }];
}

/** The files of this name of every cgroup on the way to the root. */
export function eachLevel(file: string, ...keys: readonly string[]): SourceFinder {
  return ({ inputs }) =>
    keys.length === 0
      ? listNamed([file], inputs)
      : keys.flatMap((key) => listNamed([file, key], inputs));
}

/** What a cgroup uses is its own: the container root's, which is read first. */
const usageFiles = /^memory\.(stat|current|usage_in_bytes|swap\.current)$/;

function findNamed(name: SourceName, inputs: readonly Input[]): Source[] {
  const found = listNamed(name, inputs);
  return usageFiles.test(name[0]) ? found.slice(0, 1) : found;
}

function listNamed([file, key]: SourceName, inputs: readonly Input[]): Source[] {
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
