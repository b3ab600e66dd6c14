// SPDX-License-Identifier: Apache-2.0
// The public tree without a daemon.
import { hostFiles } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { isTree, settleLayer } from '../native/mounts.js';
import { DaemonError } from './daemon-error.js';
import { openEngine } from './engine.js';
import { explained, stage } from './mount.js';

/**
 * Makes the tree, or adds what it lacks; with `onTop`, a tree that was there gets a layer of the host's files.
 *
 * @throws DaemonError as `stage`, "not_root" or "no_cgroups"
 */
export async function stageHostFiles(config: Config, { onTop }: { onTop: boolean }): Promise<void> {
  if (process.geteuid?.() !== 0) {
    throw new DaemonError('not_root', 'Not root, and mounting needs it: sudo lensfs stage');
  }
  const wasThere = isTree(config.tree);
  await using engine = openEngine(config);
  await stage(config, engine.files());
  if (onTop && wasThere) {
    explained(config.tree, () => settleLayer(config.tree, hostFiles(config.roots)));
  }
}
