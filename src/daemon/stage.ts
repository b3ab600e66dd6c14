// SPDX-License-Identifier: Apache-2.0
// The public tree without a daemon.
import { rm } from 'node:fs/promises';
import { controlSocketPath, handoverSocketPath, hostFiles } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { isListening } from '../control/client.js';
import { isTree, settleLayer } from '../native/mounts.js';
import { DaemonError } from './daemon-error.js';
import { openEngine } from './engine.js';
import { claimTree, clearConnections, explained, stage, unstage } from './mount.js';
import { withdrawFromContainers } from './withdraw.js';

/**
 * Makes the tree, or adds what it lacks; with `onTop`, a tree that was there gets a layer of the host's files.
 *
 * @throws DaemonError as `stage`, "not_root" or "no_cgroups"
 */
export async function stageHostFiles(config: Config, { onTop }: { onTop: boolean }): Promise<void> {
  requireRoot();
  const wasThere = isTree(config.tree);
  await using engine = openEngine(config);
  await stage(config, engine.files());
  if (onTop && wasThere) {
    explained(config.tree, () => settleLayer(config.tree, hostFiles(config.roots)));
  }
  if (onTop) await withdrawFromContainers(config);
}

/**
 * Takes away all that a daemon has left mounted, when it has ended. Containers keep what is on top of their files.
 *
 * @throws DaemonError "tree_busy" while a daemon runs, "not_root" or "mount_failed"
 */
export async function removeLeftovers({ tree, run_dir }: Config): Promise<void> {
  requireRoot();
  if (await isListening(controlSocketPath(run_dir))) {
    throw new DaemonError(
      'tree_busy',
      `A running lensfs uses "${run_dir}": run "lensfs stop" first`,
    );
  }
  await withdrawFromContainers({ tree, run_dir });
  if (isTree(tree)) {
    // Held until this process ends, so that no daemon starts on what is about to go.
    claimTree(tree);
    explained(tree, () => unstage(tree));
  }
  await clearConnections(run_dir);
  for (const path of [controlSocketPath(run_dir), handoverSocketPath(run_dir)]) {
    await rm(path, { force: true });
  }
}

function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new DaemonError('not_root', 'Not root, and mounting needs it: sudo lensfs stage');
}
