// SPDX-License-Identifier: Apache-2.0
// What a worker does besides answering reads: the control socket, reloads, the log.
import { loadConfig } from '../config/load.js';
import { changedKeys, describeProblem, withKeys } from '../config/parse.js';
import type { Config } from '../config/schema.js';
import type { Outcome, ReloadReply, StatusReply } from '../control/protocol.js';
import { type ControlHandlers, ControlServer } from '../control/server.js';
import { createLogger, type Logger, levelNumber, logMessages } from '../logger.js';
import type { KeptDescriptors, NativeEngine } from '../native/binding.js';
import { countLayers } from '../native/mounts.js';
import type { WorkerLink } from '../native/worker-link.js';
import { liveOptions } from './engine.js';
import { FallbackLog } from './fallback-log.js';
import { handleSignals } from './lifecycle.js';
import { unmountConnections, unstage } from './mount.js';
import { type SavedConfig, writeSavedConfig } from './saved-config.js';

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
  /** What is in force, which is what was read last except for keys that need a restart. */
  #config: Config;
  /** The end of the queue of reloads: they run one after another. */
  #lastReload: Promise<unknown> = Promise.resolve();

  private constructor(options: DaemonOptions) {
    this.#options = options;
    this.#config = options.saved.config;
    this.#logger = createLogger(this.#config.log.level);
  }

  /** Returns when the engine has ended. */
  static async run(options: DaemonOptions): Promise<void> {
    await new Daemon(options).#run();
  }

  async #run(): Promise<void> {
    const { engine, link, kept, count, released } = this.#options;
    const { tree, run_dir } = this.#config;
    using _signals = handleSignals({
      onStop: () => this.#end.abort(),
      onReload: () => void this.#queueReload(),
    });
    link.send('logLevel', levelNumber(this.#config.log.level));
    link.on('orphaned', () => this.#logger.error(logMessages.orphaned));
    link.on('adopted', () => this.#logger.info(logMessages.adopted));
    await using _server = await ControlServer.start({
      socket: kept.control,
      handlers: this.#handlers(),
      logger: this.#logger,
    });
    using _fallbacks = new FallbackLog(this.#logger, () => engine.status().fallbacks);
    const message = count === 1 ? logMessages.serving : logMessages.servingAgain;
    this.#logger.info({ tree, run_dir, worker: count, layout: engine.status().layout }, message);
    await Promise.race([released, aborted(this.#end.signal)]);
    if (link.isOrphaned) await this.#removeMounts();
    await engine.stop();
  }

  /** Nobody else is left to do it. */
  async #removeMounts(): Promise<void> {
    unstage(this.#config.tree);
    await unmountConnections(this.#config.run_dir);
  }

  #handlers(): ControlHandlers {
    return {
      status: async () => ({ ok: true, reply: this.#status() }),
      reload: () => this.#queueReload(),
      stop: async () => {
        await this.#stop();
        return { ok: true, reply: { stopped: true } };
      },
    };
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
    const { engine, kept, link, saved } = this.#options;
    const parsed = await loadConfig(saved.flags);
    if (!parsed.ok) {
      const problems = parsed.problems.map(describeProblem);
      this.#logger.error({ problems }, logMessages.reloadRefused);
      return { ok: false, code: 'invalid_configuration', message: problems.join('\n') };
    }
    const changed = changedKeys(this.#config, parsed.config);
    const live = changed.filter((key) => key.live);
    this.#config = withKeys(this.#config, parsed.config, live);
    writeSavedConfig(kept.config, { ...saved, config: this.#config });
    engine.configure(liveOptions(this.#config));
    this.#logger.level = this.#config.log.level;
    link.send('logLevel', levelNumber(this.#config.log.level));

    const applied = live.map(({ name }) => name);
    const needsRestart = changed.filter((key) => !key.live).map(({ name }) => name);
    this.#logger.info({ applied }, logMessages.reloaded);
    if (needsRestart.length > 0) this.#logger.warn({ needsRestart }, logMessages.needsRestart);
    return { ok: true, reply: { applied, needsRestart } };
  }
}

/** Resolves when the signal is aborted, at once when it already is. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
