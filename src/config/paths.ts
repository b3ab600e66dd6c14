// SPDX-License-Identifier: Apache-2.0
// Where everything of a daemon is, from its two directories.
import { join } from 'node:path';
import type { Config } from './schema.js';

/** Name of the control socket in `run_dir`. */
export const controlSocketName = 'control.sock';

/** The path of a daemon's control socket. */
export function controlSocketPath(runDir: Config['run_dir']): string {
  return join(runDir, controlSocketName);
}

/** The directory of the FUSE mounts, for root only: below them are the views of all containers. */
export function mountsDirectory(runDir: Config['run_dir']): string {
  return join(runDir, 'mnt');
}

/** Where the two connections are mounted. */
export function connectionMounts(runDir: Config['run_dir']) {
  const mounts = mountsDirectory(runDir);
  return { shared: join(mounts, 'shared'), pinned: join(mounts, 'pinned') };
}

/** Where a layer of the public tree has the host's own files from. */
export function hostFiles({ proc, sys }: Pick<Config['roots'], 'proc' | 'sys'>) {
  return { proc, sys };
}

/** Where a layer of the public tree has the connection's files from. */
export function connectionFiles(runDir: Config['run_dir']) {
  const { shared } = connectionMounts(runDir);
  return { proc: join(shared, 'proc'), sys: join(shared, 'sys') };
}

/** Where a worker whose keeper is dead waits for the next one. */
export function handoverSocketPath(runDir: Config['run_dir']): string {
  return join(runDir, 'handover.sock');
}

/** Where a keeper that outlives its container waits for another one to take its place. */
export function keeperSocketPath(runDir: Config['run_dir']): string {
  return join(runDir, 'keeper.sock');
}

/** The directory of one view in the pinned tree. */
export function pinnedDirectory(runDir: Config['run_dir'], viewName: string): string {
  return join(mountsDirectory(runDir), 'pinned', viewName);
}
