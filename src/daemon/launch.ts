// SPDX-License-Identifier: Apache-2.0
// From a valid configuration to a keeper that serves it: checks everything that can be wrong, gets the descriptors that
// outlive every worker, and becomes the keeper.
import { rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { saveLastGood, type Usable } from '../config/last-good.js';
import { describeProblem } from '../config/parse.js';
import {
  connectionMounts,
  controlSocketPath,
  handoverSocketPath,
  hostFiles,
  keeperSocketPath,
} from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { type ConfigFlags, readPassedDescriptors, writesToJournal } from '../config/sources.js';
import { claimControlSocket, grantControlSocket } from '../control/socket.js';
import { codeOf, messageOf } from '../errors.js';
import { createLogger, logMessages } from '../logger.js';
import { addonPath, descriptorList, type KeptDescriptors } from '../native/binding.js';
import { builtFile } from '../native/built-files.js';
import { isConnected, isOnTop, isTree } from '../native/mounts.js';
import { become, type Handover, makeMemory, takeOver } from '../native/process.js';
import { readVersion } from '../version.js';
import { DaemonError } from './daemon-error.js';
import { openEngine } from './engine.js';
import { claimTree, mountConnections, stage, unmountConnections, unstage } from './mount.js';
import { makeOwnCgroup } from './own-cgroup.js';
import { enableRings } from './rings.js';
import { writeSavedConfig } from './saved-config.js';

export interface LaunchOptions extends Usable {
  /** Where the configuration is from, for reloads. */
  flags: ConfigFlags;
  /** Leave everything mounted at the end: the service manager keeps the descriptors. */
  leaveMounted: boolean;
  /** Go on after the container has ended in which it was started. */
  outlive?: Outlive | undefined;
}

export interface Outlive {
  /** For so long at the most, while no other keeper takes over. */
  seconds: number;
  /** Where, as /proc/<pid>/cgroup writes it. */
  cgroup: string;
}

/** Takes back one step of what was done. */
type Undo = () => void | Promise<void>;

const retryMs = 200;
/** Longer than a change of workers takes. */
const takeOverMs = 30_000;

/** What a service manager stores, by name. */
const storedName = (name: string) => `lensfs-${name}`;

const keeperPath = builtFile('lensfs-keeper');
const workerPath = fileURLToPath(new URL('../worker.js', import.meta.url));

/**
 * Becomes the keeper; returns only by throwing.
 *
 * @throws DaemonError, ControlError or NativeError; then nothing is left mounted and no socket is left
 */
export async function launch(options: LaunchOptions): Promise<never> {
  const { config } = options;
  if (process.geteuid?.() !== 0) {
    throw new DaemonError('not_root', 'Not root, and mounting needs it: sudo lensfs serve');
  }
  const { outlive } = options;
  if (outlive !== undefined && process.pid === 1) {
    const advice = 'give the container the process ids of its host (hostPID: true, --pid host)';
    throw new DaemonError('no_outliving', `Nothing outlives a process 1: ${advice}`);
  }
  const logger = createLogger(config.log.level, writesToJournal());
  const problems = options.problems.map(describeProblem);
  if (problems.length > 0) logger.error({ problems }, logMessages.lastGood);
  const files = await listFiles(config);
  const cgroups = outlive === undefined ? [] : await makeOwnCgroup(outlive.cgroup, logger);
  for (const giveUpAt = Date.now() + takeOverMs; ; await setTimeout(retryMs)) {
    try {
      return await becomeNextKeeper(options, files, cgroups);
    } catch (error) {
      if (outlive === undefined || !isInUse(error) || Date.now() > giveUpAt) throw error;
    }
  }
}

async function becomeNextKeeper(
  options: LaunchOptions,
  files: readonly string[],
  cgroups: readonly string[],
): Promise<never> {
  const { config } = options;
  const handover = takeOverAny(options);
  if (handover !== undefined) {
    await stage(config, files);
    await remember(options);
    return becomeKeeper(handover, options, cgroups);
  }
  const undo: Undo[] = [];
  try {
    const kept = await acquire(config, files, undo);
    await remember(options);
    return becomeKeeper({ kept }, options, cgroups);
  } catch (error) {
    for (const action of undo.reverse()) await action();
    throw error;
  }
}

/** A configuration that all is there for is good; a disk that is full is no reason not to serve. */
async function remember({ config, entries, problems }: LaunchOptions): Promise<void> {
  if (problems.length > 0) return;
  const logger = createLogger(config.log.level, writesToJournal());
  await saveLastGood(config.run_dir, entries).catch((error: unknown) => {
    logger.warn({ reason: messageOf(error) }, logMessages.notRemembered);
  });
}

/** From a worker without a keeper, or from a keeper that may be replaced by its like. */
function takeOverAny({ config, outlive }: LaunchOptions): Handover | undefined {
  const logger = createLogger(config.log.level, writesToJournal());
  const orphan = takeOver(handoverSocketPath(config.run_dir));
  if (orphan !== undefined) logger.info(logMessages.takingOver);
  if (orphan !== undefined || outlive === undefined) return orphan;
  const handover = takeOver(keeperSocketPath(config.run_dir));
  if (handover !== undefined) logger.info(logMessages.replacing);
  return handover;
}

/** Somebody is about to hand over, or to end. */
function isInUse(error: unknown): boolean {
  return ['run_dir_in_use', 'tree_busy', 'ECONNRESET', 'EAGAIN'].includes(codeOf(error) ?? '');
}

/** The files there are to serve; opening an engine also shows whether one can, and where containers' cgroups are found. */
async function listFiles(config: Config): Promise<string[]> {
  await using engine = openEngine(config);
  return engine.files();
}

async function acquire(
  config: Config,
  files: readonly string[],
  undo: Undo[],
): Promise<KeptDescriptors> {
  const passed = readPassedDescriptors();
  const socketPath = controlSocketPath(config.run_dir);
  let control = passed.get('control');
  if (control === undefined) {
    control = await claimControlSocket(socketPath, config.control.group);
    undo.push(() => rm(socketPath, { force: true }));
  } else {
    await grantControlSocket(socketPath, config.control.group);
  }
  const tree = await claimStagedTree(config, files, undo);
  const stored = storedConnections(passed);
  if (stored !== undefined) return { ...stored, config: -1, control, tree };
  enableRings(config);
  const connections = await mountConnections(config);
  undo.push(() => unmountConnections(config.run_dir));
  return { ...connections, journal: makeMemory('lensfs-journal'), config: -1, control, tree };
}

/** The lock of the tree, which has all files; one that somebody else serves is not touched. */
async function claimStagedTree(
  config: Config,
  files: readonly string[],
  undo: Undo[],
): Promise<number> {
  if (isTree(config.tree)) {
    const lock = claimTree(config.tree);
    await stage(config, files);
    return lock;
  }
  undo.push(() => unstage(config.tree));
  await stage(config, files);
  return claimTree(config.tree);
}

/** What an earlier keeper has left with the service manager, if it is still good. */
function storedConnections(
  passed: ReadonlyMap<string, number>,
): Pick<KeptDescriptors, 'shared' | 'pinned' | 'journal'> | undefined {
  const [shared, pinned, journal] = ['shared', 'pinned', 'journal'].map((name) =>
    passed.get(storedName(name)),
  );
  if (shared === undefined || pinned === undefined || journal === undefined) return undefined;
  return isConnected(shared) && isConnected(pinned) ? { shared, pinned, journal } : undefined;
}

function becomeKeeper(
  { kept: inherited, predecessor }: Handover,
  { config, flags, problems, leaveMounted, outlive }: LaunchOptions,
  cgroups: readonly string[],
): never {
  const kept = { ...inherited, config: makeMemory('lensfs-config') };
  const saved = { version: readVersion(), config, flags, problems: problems.map(describeProblem) };
  writeSavedConfig(kept.config, saved);
  const { tree, run_dir, roots } = config;
  const fds = descriptorList(kept);
  const native = hostFiles(roots);
  const paths = ['--tree', tree, '--run-dir', run_dir, '--proc', native.proc, '--sys', native.sys];
  const { deaths, window } = config.workers;
  const policy = ['--deaths', String(deaths), '--window-ms', String(window.usec / 1000)];
  const switches = [
    ...(leaveMounted ? ['--leave-mounted'] : []),
    ...(isOnTop(tree, connectionMounts(run_dir).shared) ? ['--stacked'] : []),
    ...(config.standby ? ['--standby'] : []),
    ...(config.pressure.triggers ? ['--triggers'] : []),
    ...(config.seccomp ? [] : ['--unfiltered']),
    ...(predecessor === undefined ? [] : predecessorOptions(predecessor)),
    ...(outlive === undefined ? [] : ['--outlive-ms', String(outlive.seconds * 1000)]),
    ...cgroups.flatMap((directory) => ['--cgroup', directory]),
  ];
  const preload = ['--preload', addonPath];
  const worker = [process.execPath, workerPath, run_dir];
  become(
    [
      keeperPath,
      '--fds',
      fds.join(),
      ...paths,
      ...policy,
      ...preload,
      ...switches,
      '--',
      ...worker,
    ],
    [...fds, ...(predecessor === undefined ? [] : [predecessor.link])],
  );
}

function predecessorOptions({ link, worker }: NonNullable<Handover['predecessor']>): string[] {
  return ['--predecessor', String(link), '--predecessor-worker', String(worker)];
}
