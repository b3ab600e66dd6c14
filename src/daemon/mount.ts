// SPDX-License-Identifier: Apache-2.0
// Mounts the tree, and says what to do when that fails.
import { mkdir } from 'node:fs/promises';
import { codeOf, messageOf } from '../errors.js';
import type { NativeEngine, NativeEvent } from '../native/binding.js';
import { NativeError } from '../native/native-error.js';
import { DaemonError } from './daemon-error.js';

/**
 * Makes the mount point when it is missing and mounts; what a dead daemon left there is cleared.
 *
 * @throws DaemonError "no_fuse", "tree_busy", "tree_not_empty", "tree_unusable" or "mount_failed"
 */
export async function mountTree(
  engine: NativeEngine,
  tree: string,
  onEvent: (event: NativeEvent) => void,
): Promise<void> {
  try {
    await mkdir(tree, { recursive: true, mode: 0o755 });
  } catch (error) {
    // ENOTCONN: a dead daemon's mount, which the engine clears.
    if (codeOf(error) !== 'ENOTCONN') throw unusable(tree, error);
  }
  try {
    engine.mount(tree, onEvent);
  } catch (error) {
    throw error instanceof NativeError ? explain(tree, error) : error;
  }
}

function explain(tree: string, error: NativeError): DaemonError {
  if (error.path === '/dev/fuse') {
    const advice = 'run "modprobe fuse", and in a container add "--privileged"';
    return new DaemonError('no_fuse', `Cannot open /dev/fuse (${error.code}): ${advice}`, error);
  }
  switch (error.code) {
    case 'EBUSY': {
      const advice = 'run "lensfs stop" if it is another lensfs, or choose another --tree';
      return new DaemonError('tree_busy', `Something is mounted on "${tree}": ${advice}`, error);
    }
    case 'ENOTEMPTY': {
      const advice = 'empty it, or choose another --tree';
      return new DaemonError('tree_not_empty', `"${tree}" is not empty: ${advice}`, error);
    }
    case 'ENOTDIR':
      return unusable(tree, error);
    default: {
      const advice = error.code === 'EPERM' ? '; in a container, add "--privileged"' : '';
      const message = `Cannot mount on "${tree}": ${error.message}${advice}`;
      return new DaemonError('mount_failed', message, error);
    }
  }
}

function unusable(tree: string, error: unknown): DaemonError {
  const message = `Cannot use "${tree}": ${messageOf(error)}; choose another --tree`;
  return new DaemonError('tree_unusable', message, error);
}
