// SPDX-License-Identifier: Apache-2.0
// Makes the directories, the connections and the public tree, and says what to do when that fails.
import { mkdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connectionMounts, hostFiles, mountsDirectory } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { codeOf, messageOf } from '../errors.js';
import {
  isTree,
  lockTree,
  mountConnection,
  removeTree,
  stageTree,
  unmount,
} from '../native/mounts.js';
import { NativeError } from '../native/native-error.js';
import { DaemonError } from './daemon-error.js';

const publicMode = 0o755;
const rootOnlyMode = 0o700;

/** What the tree is made of: its files, and one directory that is bound as a whole. */
const cpuDirectory = 'sys/devices/system/cpu/';

/**
 * Makes the public tree, or adds what it lacks; each new file in it is the host's.
 *
 * @throws DaemonError "tree_busy", "tree_not_empty", "tree_unusable" or "mount_failed"
 */
export async function stage(
  { tree, roots }: Pick<Config, 'tree' | 'roots'>,
  files: readonly string[],
): Promise<void> {
  await makeDirectory(tree, tree, publicMode);
  const leaves = [...files.filter((file) => file.startsWith('proc/')), cpuDirectory];
  explained(tree, () => stageTree(tree, leaves, hostFiles(roots)));
}

/**
 * Claims the tree for as long as the descriptor is open.
 *
 * @throws DaemonError "tree_busy" or "mount_failed"
 */
export function claimTree(tree: string): number {
  return explained(tree, () => lockTree(tree));
}

/**
 * Mounts both connections; what a dead daemon left in their places is cleared.
 *
 * @throws DaemonError "no_fuse", "tree_busy", "tree_not_empty", "tree_unusable" or "mount_failed"; then neither is left
 *   mounted
 */
export async function mountConnections({
  run_dir: runDir,
  pressure,
}: Pick<Config, 'run_dir' | 'pressure'>): Promise<{ shared: number; pinned: number }> {
  const paths = connectionMounts(runDir);
  try {
    await makeDirectory(runDir, mountsDirectory(runDir), rootOnlyMode);
    await makeDirectory(runDir, paths.shared, rootOnlyMode);
    await makeDirectory(runDir, paths.pinned, rootOnlyMode);
    const shared = explained(paths.shared, () =>
      mountConnection(paths.shared, { writable: pressure.triggers }),
    );
    try {
      return { shared, pinned: explained(paths.pinned, () => mountConnection(paths.pinned)) };
    } catch (error) {
      unmount(paths.shared);
      throw error;
    }
  } catch (error) {
    await removeMountPoints(runDir);
    throw error;
  }
}

/** Takes away what `mountConnections` has mounted. */
export async function unmountConnections(runDir: string): Promise<void> {
  for (const path of Object.values(connectionMounts(runDir))) unmount(path);
  await removeMountPoints(runDir);
}

/** The same after a daemon that could not do so itself; what is not mounted is passed over. */
export async function clearConnections(runDir: string): Promise<void> {
  for (const path of Object.values(connectionMounts(runDir))) {
    try {
      unmount(path);
    } catch (error) {
      const isMounted = !['EINVAL', 'ENOENT'].includes(codeOf(error) ?? '');
      if (isMounted) throw error;
    }
  }
  await removeMountPoints(runDir);
}

/** Takes away a tree that `stage` has made. */
export function unstage(tree: string): void {
  if (isTree(tree)) removeTree(tree);
}

async function removeMountPoints(runDir: string): Promise<void> {
  const { shared, pinned } = connectionMounts(runDir);
  for (const path of [shared, pinned, mountsDirectory(runDir)]) await rmdir(path).catch(ignore);
}

async function makeDirectory(of: string, directory: string, mode: number): Promise<void> {
  try {
    await mkdir(dirname(directory), { recursive: true, mode: publicMode });
    await mkdir(directory, { mode });
  } catch (error) {
    // A dead daemon's mount says EEXIST too, and is cleared later.
    if (codeOf(error) !== 'EEXIST') throw unusable(of, error);
  }
}

/** Runs a native call; what it throws says what to do. */
export function explained<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof NativeError ? explain(path, error) : error;
  }
}

function explain(of: string, error: NativeError): DaemonError {
  if (error.path === '/dev/fuse') {
    const advice = 'run "modprobe fuse", and in a container add "--privileged"';
    return new DaemonError('no_fuse', `Cannot open /dev/fuse (${error.code}): ${advice}`, error);
  }
  const path = error.path ?? of;
  switch (error.code) {
    case 'EBUSY': {
      const advice = 'run "lensfs stop" if it is another lensfs, or choose another --tree';
      return new DaemonError('tree_busy', `Something is mounted on "${path}": ${advice}`, error);
    }
    case 'ENOTEMPTY': {
      const advice = 'empty it, or choose another --tree';
      return new DaemonError('tree_not_empty', `"${path}" is not empty: ${advice}`, error);
    }
    case 'ENOTDIR':
      return unusable(path, error);
    default: {
      const advice = error.code === 'EPERM' ? '; in a container, add "--privileged"' : '';
      const message = `Cannot mount on "${path}": ${error.message}${advice}`;
      return new DaemonError('mount_failed', message, error);
    }
  }
}

function unusable(path: string, error: unknown): DaemonError {
  const message = `Cannot use "${path}": ${messageOf(error)}; choose another --tree`;
  return new DaemonError('tree_unusable', message, error);
}

function ignore(): void {}
