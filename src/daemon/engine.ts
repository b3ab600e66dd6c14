// SPDX-License-Identifier: Apache-2.0
// Config -> the engine and its options.
import { connectionMounts } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import {
  type LiveOptions,
  NativeEngine,
  type NativeOptions,
  packPreset,
} from '../native/binding.js';
import { NativeError } from '../native/native-error.js';
import { DaemonError } from './daemon-error.js';
import { joinHostCgroups } from './host-cgroups.js';
import { compileRules, type NamedContainer } from './profile-rules.js';

/**
 * An engine as configured, without a mount; this thread is in the host's cgroup namespace then.
 *
 * @throws DaemonError "no_cgroups" or "part_of_cgroups", NativeError for other reasons
 */
export function openEngine(config: Config): NativeEngine {
  joinHostCgroups(config.roots);
  return openWorkersEngine(config);
}

/** The same for a worker, whose keeper is where it has to be. */
export function openWorkersEngine(config: Config): NativeEngine {
  try {
    return NativeEngine.open(nativeOptions(config));
  } catch (error) {
    const isCgroups = error instanceof NativeError && error.path?.startsWith(config.roots.cgroup);
    if (!isCgroups) throw error;
    const message = `No cgroups in "${config.roots.cgroup}": mount them ("mount -t cgroup2 none ${config.roots.cgroup}"), or set roots.cgroup`;
    throw new DaemonError('no_cgroups', message, error);
  }
}

/** What a worker needs of the configuration to answer reads, in the form that it takes without JavaScript. */
export function presetOf(config: Config, version: string): Buffer {
  const { run_dir: runDir, tree } = config;
  const { shared } = connectionMounts(runDir);
  return packPreset(nativeOptions(config), { version, runDir, tree, shared });
}

/** The part of the configuration that the engine takes while it runs. */
export function liveOptions(
  config: Config,
  containers: readonly NamedContainer[] = [],
): LiveOptions {
  return {
    freshnessUsec: config.freshness.usec,
    cpuCount: config.cpu.count,
    cpuNumbering: config.cpu.numbering,
    swap: config.swap,
    loadavg: config.loadavg,
    onFailure: config.on_failure,
    files: config.files,
    rules: compileRules(config.profiles, containers),
  };
}

function nativeOptions(config: Config): NativeOptions {
  return {
    ...liveOptions(config),
    procRoot: config.roots.proc,
    cgroupRoot: config.roots.cgroup,
    sysRoot: config.roots.sys,
    viewsMax: config.views.max,
    handlesMax: config.handles.max,
    readers: config.readers,
    pressureTriggers: config.pressure.triggers,
    transport: config.transport === 'classic' ? 'classic' : 'ring',
  };
}
