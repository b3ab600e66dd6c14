// SPDX-License-Identifier: Apache-2.0
// Where everything of a daemon is, from its two directories.
import { join } from 'node:path';
import { type Config, controlSocketName } from './schema.js';

/** The path of a daemon's control socket. */
export function controlSocketPath(runDir: Config['run_dir']): string {
  return join(runDir, controlSocketName);
}

/** The directory of the FUSE mounts, for root only: below them are the views of all containers. */
export function mountsDirectory(runDir: Config['run_dir']): string {
  return join(runDir, 'mnt');
}

/** What is mounted where. */
export function mountPoints({ tree, run_dir }: Pick<Config, 'tree' | 'run_dir'>) {
  const mounts = mountsDirectory(run_dir);
  return {
    treeProc: join(tree, 'proc'),
    treeSys: join(tree, 'sys'),
    shared: join(mounts, 'shared'),
    pinned: join(mounts, 'pinned'),
  };
}

/** The directory of one view in the pinned tree. */
export function pinnedDirectory(runDir: Config['run_dir'], viewName: string): string {
  return join(mountsDirectory(runDir), 'pinned', viewName);
}
