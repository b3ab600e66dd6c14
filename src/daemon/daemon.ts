// SPDX-License-Identifier: Apache-2.0
// What a worker does besides answering reads: the control socket, reloads, the log.
import { saveLastGood } from '../config/last-good.js';
import { loadConfig } from '../config/load.js';
import { changedKeys, describeProblem, withKeys } from '../config/parse.js';
import { hostFiles } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { writesToJournal } from '../config/sources.js';
import { MetricsListener } from '../control/metrics-listener.js';
import type { Outcome, ReloadReply, StatusReply } from '../control/protocol.js';
import { ControlServer } from '../control/server.js';
import { messageOf } from '../errors.js';
import { levelNumber } from '../log-levels.js';
import { createLogger, type Logger, logMessages } from '../logger.js';
import { type KeptDescriptors, type NativeEngine, peerOf } from '../native/binding.js';
import { countLayers, settleLayer } from '../native/mounts.js';
import type { WorkerLink } from '../native/worker-link.js';
import { findRuntimeDirectories, type RuntimeDirectories } from './container-names.js';
import { ContainerWatch } from './container-watch.js';
import { liveOptions } from './engine.js';
import { EventHub } from './event-hub.js';
import { FallbackLog } from './fallback-log.js';
import { createHandlers, type HandlerContext, writeMetrics } from './handlers.js';
import { handleSignals } from './lifecycle.js';
import { unmountConnections, unstage } from './mount.js';
import { type NamedContainer, needsNames } from './profile-rules.js';
import { transportFields, warnWithoutRings } from './rings.js';
import { type SavedConfig, writeSavedConfig } from './saved-config.js';
import { withdrawFromContainers } from './withdraw.js';

export interface DaemonOptions {
  link: WorkerLink;
  /** Serves already. */
  engine: NativeEngine;
  kept: KeptDescriptors;
  saved: SavedConfig;
  /** How many workers have served, this one included. */
  count: number;
  /** Settled when the engine has ended because the keeper wants it. */
  released: Promise<unknown>;
}

/** The life of a worker from its first answer on. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #logger: Logger;
  /** Aborted when this worker is to end without having been asked by its keeper. */
  readonly #end = new AbortController();
  readonly #events: EventHub;
  readonly #reloads = { done: 0, refused: 0 };
  readonly #runtimes: RuntimeDirectories;
  #containers: readonly NamedContainer[] = [];
  #containerWatch: ContainerWatch | undefined;
  /** What is in force, which is what was read last except for keys that need a restart. */
  #config: Config;
  /** What is wrong with the configuration that is written, while an earlier one is in force. */
  #problems: readonly string[];
  /** The end of the queue of reloads: they run one after another. */
  #lastReload: Promise<unknown> = Promise.resolve();

  private constructor(options: DaemonOptions, runtimes: RuntimeDirectories) {
    this.#options = options;
    this.#runtimes = runtimes;
    this.#config = options.saved.config;
    this.#problems = options.saved.problems;
    this.#logger = createLogger(this.#config.log.level, writesToJournal());
    this.#events = new EventHub(() => options.engine.views());
  }

  /** Returns when the engine has ended. */
  static async run(options: DaemonOptions): Promise<void> {
    const runtimes = await findRuntimeDirectories(options.saved.config.roots.docker);
    await new Daemon(options, runtimes).#run();
  }

  async #run(): Promise<void> {
    const { engine, link, kept, count, released, saved } = this.#options;
    const { tree, run_dir } = this.#config;
    using _signals = handleSignals({
      onStop: () => this.#end.abort(),
      onReload: () => void this.#queueReload(),
    });
    // From now on the keeper passes signals on.
    link.send('started');
    link.send('logLevel', levelNumber(this.#config.log.level));
    link.send('problems', this.#problems.length);
    if (count > 1) {
      const { replays, refusals, quarantine } = engine.status();
      const at = new Date().toISOString();
      const data = { at, worker: process.pid, workers: count, replays, refusals };
      this.#events.publishForLater('worker-restarted', data);
      for (const cgroup of quarantine) {
        this.#logger.error(cgroup, logMessages.quarantined);
        this.#events.publishForLater('view-quarantined', { at, ...cgroup });
      }
    }
    link.on('orphaned', () => this.#logger.error(logMessages.orphaned));
    link.on('adopted', () => this.#logger.info(logMessages.adopted));
    await using _server = await ControlServer.start({
      socket: kept.control,
      handlers: createHandlers(this.#handlerContext()),
      events: this.#events,
      version: saved.version,
      peerOf,
      logger: this.#logger,
    });
    using _fallbacks = new FallbackLog(
      this.#logger,
      () => engine.status().fallbacks,
      (fallback) => this.#events.publish('fallback', fallback),
    );
    await using _metrics = await this.#listenForMetrics();
    this.#watchContainers();
    const message = count === 1 ? logMessages.serving : logMessages.servingAgain;
    const { layout, transport, findsById } = engine.status();
    const fields = { tree, run_dir, worker: count, layout, ...transportFields(transport) };
    this.#logger.info(fields, message);
    if (!findsById) this.#logger.warn(logMessages.noIds);
    warnWithoutRings(this.#logger, this.#config.transport, transport);
    await Promise.race([released, aborted(this.#end.signal)]);
    this.#containerWatch?.[Symbol.dispose]();
    if (link.isOrphaned) await this.#removeMounts();
    await engine.stop();
  }

  /** Nobody else is left to do it. */
  async #removeMounts(): Promise<void> {
    settleLayer(this.#config.tree, hostFiles(this.#config.roots));
    await withdrawFromContainers(this.#config);
    unstage(this.#config.tree);
    await unmountConnections(this.#config.run_dir);
  }

  #handlerContext(): HandlerContext {
    return {
      engine: this.#options.engine,
      runtimes: this.#runtimes,
      status: () => this.#status(),
      config: () => this.#config,
      reloads: () => this.#reloads,
      reload: () => this.#queueReload(),
      change: async (config) => this.#apply(config),
      stop: () => this.#stop(),
    };
  }

  /** An address that cannot be had costs the listener only: readers come first. */
  async #listenForMetrics(): Promise<MetricsListener | null> {
    const { listen } = this.#config.metrics;
    if (listen === 'off') return null;
    try {
      return await MetricsListener.start(listen, () => writeMetrics(this.#handlerContext()));
    } catch (error) {
      this.#logger.error({ listen, reason: messageOf(error) }, logMessages.noMetricsListener);
      return null;
    }
  }

  async #stop(): Promise<void> {
    const { link, released } = this.#options;
    if (link.isOrphaned) {
      this.#end.abort();
      return;
    }
    link.send('stopWanted');
    await released;
  }

  #status(): StatusReply {
    const { engine, link, saved, count } = this.#options;
    return {
      version: saved.version,
      pid: link.isOrphaned ? process.pid : process.ppid,
      workerPid: process.pid,
      workers: count,
      orphaned: link.isOrphaned,
      layers: countLayers(this.#config.tree),
      uptimeSec: Math.round(process.uptime()),
      tree: this.#config.tree,
      runDir: this.#config.run_dir,
      configProblems: [...this.#problems],
      ...engine.status(),
    };
  }

  #queueReload(): Promise<Outcome<ReloadReply>> {
    const reload = this.#lastReload.then(() => this.#reload());
    this.#lastReload = reload.catch((err: unknown) => {
      this.#logger.error({ err }, logMessages.internalError);
    });
    return reload;
  }

  async #reload(): Promise<Outcome<ReloadReply>> {
    const parsed = await loadConfig(this.#options.saved.flags);
    if (!parsed.ok) {
      const problems = parsed.problems.map(describeProblem);
      this.#reloads.refused += 1;
      this.#setProblems(problems);
      this.#logger.error({ problems }, logMessages.reloadRefused);
      return { ok: false, code: 'invalid_configuration', message: problems.join('\n') };
    }
    this.#reloads.done += 1;
    this.#setProblems([]);
    await saveLastGood(this.#config.run_dir, parsed.entries).catch((error: unknown) => {
      this.#logger.warn({ reason: messageOf(error) }, logMessages.notRemembered);
    });
    return { ok: true, reply: this.#apply(parsed.config) };
  }

  /** Told by status, metrics and the service manager, and to the next worker. */
  #setProblems(problems: readonly string[]): void {
    const { kept, link, saved } = this.#options;
    this.#problems = problems;
    writeSavedConfig(kept.config, { ...saved, config: this.#config, problems });
    link.send('problems', problems.length);
  }

  /** Puts the live keys of a configuration in force. */
  #apply(config: Config): ReloadReply {
    const { engine, kept, link, saved } = this.#options;
    const changed = changedKeys(this.#config, config);
    const live = changed.filter((key) => key.live);
    this.#config = withKeys(this.#config, config, live);
    writeSavedConfig(kept.config, { ...saved, config: this.#config, problems: this.#problems });
    engine.configure(liveOptions(this.#config, this.#containers));
    this.#watchContainers();
    this.#logger.level = this.#config.log.level;
    link.send('logLevel', levelNumber(this.#config.log.level));

    const applied = live.map(({ name }) => name);
    const needsRestart = changed.filter((key) => !key.live).map(({ name }) => name);
    this.#logger.info({ applied }, logMessages.reloaded);
    if (needsRestart.length > 0) this.#logger.warn({ needsRestart }, logMessages.needsRestart);
    this.#events.publish('config-changed', { applied, needsRestart });
    return { applied, needsRestart };
  }

  /** Follows containers while a profile is about a name or label. */
  #watchContainers(): void {
    const isWanted = needsNames(this.#config.profiles);
    if (isWanted === (this.#containerWatch !== undefined)) return;
    this.#containerWatch?.[Symbol.dispose]();
    this.#containerWatch = isWanted
      ? ContainerWatch.start(this.#runtimes, (containers) => {
          this.#containers = containers;
          this.#options.engine.configure(liveOptions(this.#config, containers));
        })
      : undefined;
  }
}

/** Resolves when the signal is aborted, at once when it already is. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
