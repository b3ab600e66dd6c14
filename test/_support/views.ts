// SPDX-License-Identifier: Apache-2.0
// Views of a running daemon by their names.
import { basename } from 'node:path';
import type { RunningDaemon } from './lensfs.js';

/** The pinned directory of a cgroup, as the daemon's own command says. */
export async function pinnedDirectoryOf(daemon: RunningDaemon, cgroup: string): Promise<string> {
  const { code, stdout, stderr } = await daemon.command('show', '--view', '--cgroup', cgroup);
  if (code !== 0) throw new Error(`No view of ${cgroup}: ${stderr}`);
  return stdout.trimEnd();
}

/** The name of a cgroup's view: its directory in the pinned tree. */
export async function viewOf(daemon: RunningDaemon, cgroup: string): Promise<string> {
  return basename(await pinnedDirectoryOf(daemon, cgroup));
}
