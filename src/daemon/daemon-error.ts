// SPDX-License-Identifier: Apache-2.0
import { LensfsError } from '../errors.js';

/**
 * Why a daemon cannot start or go on.
 *
 * `code` is "not_root", "no_fuse", "no_cgroups", "tree_busy", "tree_not_empty", "tree_unusable"
 * or "mount_failed".
 */
export class DaemonError extends LensfsError {
  override readonly name = 'DaemonError';
}
