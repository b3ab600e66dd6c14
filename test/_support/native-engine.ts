// SPDX-License-Identifier: Apache-2.0
// An engine of this process, with nothing of a daemon around it.
import { NativeEngine, type NativeOptions } from '../../src/native/binding.js';
import type { Tree } from './tree.js';

const thisMachine = { proc: '/proc', cgroup: '/sys/fs/cgroup', sys: '/sys' };

/** Of this machine, or of a host in a directory; it renders at every read. */
export function openNativeEngine(
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
