// SPDX-License-Identifier: Apache-2.0
// Looks at a host for what lensfs needs, and at what containers have of it. Changes nothing.
import { examineContainers } from './examine-containers.js';
import { type DaemonOptions, examineDaemon, examineTree } from './examine-daemon.js';
import { examineEngines } from './examine-engines.js';
import { examineHooks } from './examine-hooks.js';
import { examineHost } from './examine-host.js';
import { ExaminedHost, type HostOptions } from './examined-host.js';
import { type Finding, fine } from './finding.js';

export interface DoctorOptions extends DaemonOptions {
  /** All that can be given to a container, such as "proc/meminfo". */
  paths: readonly string[];
  /** What is wrong with the configuration, a line each. */
  configProblems: readonly string[];
  host?: HostOptions;
}

export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const host = new ExaminedHost(options.host);
  const parts = [
    examineConfiguration(options.configProblems),
    examineHost(host),
    examineDaemon(host, options),
    examineTree(host, options.tree),
    examineEngines(host, options.paths),
    examineHooks(host, options.runDir),
    examineContainers(options.paths),
  ];
  return (await Promise.all(parts)).flat();
}

async function examineConfiguration(problems: readonly string[]): Promise<Finding> {
  const subject = 'configuration';
  if (problems.length === 0) return fine(subject, 'valid');
  return { level: 'fail', subject, text: problems.join('; '), fix: 'lensfs config check' };
}
