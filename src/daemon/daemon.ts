// SPDX-License-Identifier: Apache-2.0
import { changedKeys, describeProblem, type ParseResult, withKeys } from '../config/parse.js';
import type { Config } from '../config/schema.js';
import type { Outcome, ReloadReply, StatusReply } from '../control/protocol.js';
import type { ControlHandlers } from '../control/server.js';
import { createLogger, type Logger, logMessages } from '../logger.js';
import type { NativeEngine, NativeEvent } from '../native/binding.js';
import { readVersion } from '../version.js';
import { Context } from './context.js';
import { DaemonError } from './daemon-error.js';
import { liveOptions } from './engine.js';
import { FallbackLog } from './fallback-log.js';
import { handleSignals } from './lifecycle.js';

/** The event of the data plane after which it answers nobody any more. */
const connectionLost = 'connection_lost';

export interface DaemonOptions {
  config: Config;
  /** Reads the configuration anew, for reloads. */
  loadConfig: () => Promise<ParseResult>;
}

/**
 * Serves one tree until it is told to stop.
 *
 * @example
 * await Daemon.run({ config, loadConfig });   // returns after SIGTERM, SIGINT or "lensfs stop"
 */
export class Daemon {
  readonly #logger: Logger;
  readonly #loadConfig: DaemonOptions['loadConfig'];
  readonly #version = readVersion();
  readonly #stop = new AbortController();
  /** What is in force, which is what was read last except for keys that need a restart. */
  #config: Config;
  /** The end of the queue of reloads: they run one after another, the first when it serves. */
  #lastReload: Promise<unknown> = Promise.resolve();
  /** Settled when it serves. */
  readonly #engine: Promise<NativeEngine>;
  #serving: (engine: NativeEngine) => void = () => {};

  private constructor({ config, loadConfig }: DaemonOptions) {
    this.#config = config;
    this.#loadConfig = loadConfig;
    this.#logger = createLogger(config.log.level);
    this.#engine = new Promise((resolve) => {
      this.#serving = resolve;
    });
  }

  /**
   * Starts, serves, and stops again.
   *
   * @throws DaemonError, ControlError or NativeError when it cannot start; DaemonError "connection_lost" when the tree
   *   was taken away
   */
  static async run(options: DaemonOptions): Promise<void> {
    await new Daemon(options).#run();
  }

  async #run(): Promise<void> {
    using _signals = handleSignals({
      onStop: () => this.#requestStop(),
      onReload: () => void this.#queueReload(),
    });
    await using context = await Context.create({
      config: this.#config,
      logger: this.#logger,
      handlers: (made) => this.#handlers(made),
      onEvent: (event) => this.#onEvent(event),
    });
    const { engine } = context;
    this.#serving(engine);
    using _fallbacks = new FallbackLog(this.#logger, () => engine.status().fallbacks);
    const { tree, run_dir } = this.#config;
    this.#logger.info({ tree, run_dir, layout: engine.status().layout }, logMessages.serving);
    await aborted(this.#stop.signal);
    this.#logger.info(logMessages.stopping);
    await engine.stop();
    this.#logger.info(logMessages.stopped);
    if (this.#stop.signal.reason instanceof DaemonError) throw this.#stop.signal.reason;
  }

  #requestStop(reason?: DaemonError): void {
    if (this.#stop.signal.aborted) this.#logger.info(logMessages.alreadyStopping);
    else this.#stop.abort(reason);
  }

  #handlers(engine: NativeEngine): ControlHandlers {
    return {
      status: async () => ({ ok: true, reply: this.#status(engine) }),
      reload: () => this.#queueReload(),
      stop: async () => {
        this.#requestStop();
        await engine.stop();
        return { ok: true, reply: { stopped: true } };
      },
    };
  }

  #status(engine: NativeEngine): StatusReply {
    return {
      version: this.#version,
      pid: process.pid,
      uptimeSec: Math.round(process.uptime()),
      tree: this.#config.tree,
      runDir: this.#config.run_dir,
      ...engine.status(),
    };
  }

  #queueReload(): Promise<Outcome<ReloadReply>> {
    const reload = this.#lastReload.then(async () => this.#reload(await this.#engine));
    this.#lastReload = reload.catch((err: unknown) => {
      this.#logger.error({ err }, logMessages.internalError);
    });
    return reload;
  }

  async #reload(engine: NativeEngine): Promise<Outcome<ReloadReply>> {
    const parsed = await this.#loadConfig();
    if (!parsed.ok) {
      const problems = parsed.problems.map(describeProblem);
      this.#logger.error({ problems }, logMessages.reloadRefused);
      return { ok: false, code: 'invalid_configuration', message: problems.join('\n') };
    }
    const changed = changedKeys(this.#config, parsed.config);
    const live = changed.filter((key) => key.live);
    this.#config = withKeys(this.#config, parsed.config, live);
    engine.configure(liveOptions(this.#config));
    this.#logger.level = this.#config.log.level;

    const applied = live.map(({ name }) => name);
    const needsRestart = changed.filter((key) => !key.live).map(({ name }) => name);
    this.#logger.info({ applied }, logMessages.reloaded);
    if (needsRestart.length > 0) this.#logger.warn({ needsRestart }, logMessages.needsRestart);
    return { ok: true, reply: { applied, needsRestart } };
  }

  #onEvent({ level, code, message }: NativeEvent): void {
    this.#logger[level]({ code }, message);
    if (code !== connectionLost) return;
    const advice = 'somebody unmounted it or aborted the connection; start lensfs again';
    this.#requestStop(
      new DaemonError('connection_lost', `"${this.#config.tree}" is gone: ${advice}`),
    );
  }
}

/** Resolves when the signal is aborted, at once when it already is. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
