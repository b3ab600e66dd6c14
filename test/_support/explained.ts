// SPDX-License-Identifier: Apache-2.0
// What `lensfs explain` says, of this machine or of a host in a directory.
import { type Explained, type Explanation, explainFile } from '../../src/explain/explain.js';
import { NativeEngine, type NativeOptions, type RenderTarget } from '../../src/native/binding.js';
import type { Tree } from './tree.js';

const thisMachine = { proc: '/proc', cgroup: '/sys/fs/cgroup', sys: '/sys' };

/** An engine that reads nothing twice. */
export function openExplaining(
  roots: Pick<Tree, 'proc' | 'cgroup' | 'sys'> = thisMachine,
  options: Partial<NativeOptions> = {},
): NativeEngine {
  return NativeEngine.open({
    procRoot: roots.proc,
    cgroupRoot: roots.cgroup,
    sysRoot: roots.sys,
    freshnessUsec: 0,
    viewsMax: 64,
    handlesMax: 64,
    cpuCount: 'quota',
    cpuNumbering: 'physical',
    swap: true,
    loadavg: true,
    onFailure: 'error',
    readers: 1,
    ...options,
  });
}

/** All files of a reader. */
export function explainAll(engine: NativeEngine, target: RenderTarget): Explanation[] {
  return engine.files().map((file) => explainFile(file, engine.explain(file, target)));
}

/**
 * One number of a file.
 *
 * @throws {Error} when the file has no such number
 */
export function explainNumber(
  engine: NativeEngine,
  file: string,
  name: string,
  target: RenderTarget,
): Explained {
  const { numbers } = explainFile(file, engine.explain(file, target));
  const found = numbers.find((number) => number.name === name);
  if (found === undefined) throw new Error(`no ${name} in ${file}`);
  return found;
}
