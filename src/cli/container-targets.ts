// SPDX-License-Identifier: Apache-2.0
// What attach, detach and repair share: which containers, and whose files.

import { loadOrLastGood } from '../config/last-good.js';
import type { Target } from '../containers/attachments.js';
import { findContainer } from '../containers/find-container.js';
import {
  isReady,
  listContainers,
  type RunningContainer,
  readChoice,
} from '../containers/running.js';
import { openEngine } from '../daemon/engine.js';
import type { NativeEngine } from '../native/binding.js';
import { type Arguments, type Io, UsageError } from './command.js';
import { configFlags } from './config-options.js';
import { formatProblems } from './output.js';

/** Either one container or --all. @throws UsageError */
export function checkTarget(command: string, args: Arguments): void {
  if (args.isSet('all') !== (args.positionals[0] !== undefined)) return;
  throw new UsageError(`${command}: expected either CONTAINER or --all`);
}

export interface PickOptions {
  /** Leave out those that are still being made. */
  onlyReady: boolean;
  /** Leave out those that say LENSFS=off; not asked of one that is named. */
  heedsChoice?: boolean;
}

export async function pickTargets(
  args: Arguments,
  { onlyReady, heedsChoice = true }: PickOptions,
): Promise<Target[]> {
  const [what] = args.positionals;
  if (what !== undefined) {
    const pid = await findContainer(what);
    return [{ pid, name: what, key: String(pid) }];
  }
  const picked: Target[] = [];
  for (const container of await listContainers()) {
    if (heedsChoice && (await readChoice(container.pid)) === 'off') continue;
    if (onlyReady && !(await isReady(container))) continue;
    picked.push({ pid: container.pid, name: container.cgroup, key: keyOf(container) });
  }
  return picked;
}

/** A later process of the same number has another cgroup, or other mounts. */
function keyOf({ pid, cgroup }: RunningContainer): string {
  return `${pid} ${cgroup}`;
}

export interface Workbench {
  engine: NativeEngine;
  tree: string;
  runDir: string;
}

/** The engine that names views, and the daemon's directories; undefined when the configuration is wrong. */
export async function openWorkbench(args: Arguments, io: Io): Promise<Workbench | undefined> {
  const parsed = await loadOrLastGood(configFlags(args));
  if (!parsed.ok) {
    io.stderr.write(formatProblems(parsed.problems));
    return undefined;
  }
  const { tree, run_dir } = parsed.config;
  return { engine: openEngine(parsed.config), tree, runDir: run_dir };
}
