// SPDX-License-Identifier: Apache-2.0
import { LensfsError } from '../errors.js';

/**
 * Why a daemon cannot start or go on.
 *
 * `code` is "not_root", "no_fuse", "no_cgroups", "part_of_cgroups", "tree_busy", "tree_not_empty", "tree_unusable",
 * "mount_failed", "no_own_cgroup" or "no_outliving".
 */
export class DaemonError extends LensfsError {
  override readonly name = 'DaemonError';
}
