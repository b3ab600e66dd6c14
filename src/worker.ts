// SPDX-License-Identifier: Apache-2.0
// What the keeper starts. It answers reads before it loads anything that reads do not need; the addon, which the keeper
// has had loaded first, may have begun with that already (native/addon/early_worker.h).
import { once } from 'node:events';
import { connectionMounts } from './config/paths.js';
import { openWorkersEngine } from './daemon/engine.js';
import { readSavedConfig, type SavedConfig } from './daemon/saved-config.js';
import { inheritedDescriptors } from './native/process.js';
import { WorkerLink } from './native/worker-link.js';
import { readVersion } from './version.js';

/** A worker that is not told to serve by then waits for its turn, and loads the rest meanwhile. */
const standbyAfterMs = 200;

const kept = inheritedDescriptors();
using link = new WorkerLink(readSavedConfig(kept.config).config.run_dir);
const released = once(link, 'released');
const preload = setTimeout(() => void import('./daemon/daemon.js'), standbyAfterMs);
const turn = await Promise.race([
  once(link, 'serve') as Promise<[count: number]>,
  once(link, 'orphaned').then(() => undefined),
]);
clearTimeout(preload);
// Nobody is left to say that it is its turn: the next keeper has workers of its own.
if (turn !== undefined) await serve(...turn);

async function serve(count: number): Promise<void> {
  const saved = await currentConfig();
  const { tree, run_dir } = saved.config;
  await using engine = openWorkersEngine(saved.config);
  link.attach(engine);
  if (!engine.isServing) {
    engine.serve({ kept, tree, shared: connectionMounts(run_dir).shared }, () => link.send('lost'));
    link.send('serving');
  }

  const { Daemon } = await import('./daemon/daemon.js');
  await Daemon.run({ link, engine, kept, saved, count, released });
}

/** The configuration in force; one that another version wrote is read anew. */
async function currentConfig(): Promise<SavedConfig> {
  const found = readSavedConfig(kept.config);
  const version = readVersion();
  if (found.version === version) return found;
  const { loadOrLastGood } = await import('./config/last-good.js');
  const { describeProblem } = await import('./config/parse.js');
  const parsed = await loadOrLastGood(found.flags);
  if (!parsed.ok) return found;
  const problems = parsed.problems.map(describeProblem);
  return { ...found, version, config: parsed.config, problems };
}
