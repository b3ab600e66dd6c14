// SPDX-License-Identifier: Apache-2.0
// Views of a running daemon by their names.
import type { RunningDaemon } from './lensfs.js';

/** The pinned directory of a cgroup, as the daemon's own command says. */
export async function pinnedDirectoryOf(daemon: RunningDaemon, cgroup: string): Promise<string> {
  const { code, stdout, stderr } = await daemon.command('show', '--view', '--cgroup', cgroup);
  if (code !== 0) throw new Error(`No view of ${cgroup}: ${stderr}`);
  return stdout.trimEnd();
}
