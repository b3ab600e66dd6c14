// SPDX-License-Identifier: Apache-2.0
// The composition root: makes the parts of a daemon, and takes them apart in reverse order.
import { controlSocketPath } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { type ControlHandlers, ControlServer } from '../control/server.js';
import type { Logger } from '../logger.js';
import type { NativeEngine, NativeEvent } from '../native/binding.js';
import { DaemonError } from './daemon-error.js';
import { openEngine } from './engine.js';
import { mountTrees, removeMountPoints } from './mount.js';

export interface ContextOptions {
  config: Config;
  logger: Logger;
  /** The handlers need the engine, which is made here. */
  handlers: (engine: NativeEngine) => ControlHandlers;
  onEvent: (event: NativeEvent) => void;
}

/** The running parts. */
export class Context implements AsyncDisposable {
  readonly engine: NativeEngine;
  readonly #server: ControlServer;
  readonly #config: Config;

  private constructor(engine: NativeEngine, server: ControlServer, config: Config) {
    this.engine = engine;
    this.#server = server;
    this.#config = config;
  }

  /**
   * Engine, control socket, mount: in this order, so that a second daemon is refused before it touches the tree.
   *
   * @throws DaemonError, ControlError or NativeError; then nothing is left mounted and no socket is left
   */
  static async create({ config, logger, handlers, onEvent }: ContextOptions): Promise<Context> {
    if (process.geteuid?.() !== 0) {
      throw new DaemonError('not_root', 'Not root, and mounting needs it: sudo lensfs serve');
    }
    const engine = openEngine(config);
    let server: ControlServer | undefined;
    try {
      server = await ControlServer.start({
        socketPath: controlSocketPath(config.run_dir),
        handlers: handlers(engine),
        logger,
      });
      await mountTrees(engine, config, onEvent);
      return new Context(engine, server, config);
    } catch (error) {
      await engine.stop();
      await server?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Unmounts first: readers get an answer for as long as possible, then the socket goes. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.engine.stop();
      await removeMountPoints(this.#config);
    } finally {
      await this.#server[Symbol.asyncDispose]();
    }
  }
}
