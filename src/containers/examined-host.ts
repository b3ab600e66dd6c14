// SPDX-License-Identifier: Apache-2.0
// The host that `lensfs doctor` looks at. Reads only, and runs programs for what they say of themselves.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** A program that does not answer is not waited for longer. */
const answerLimitMs = 5_000;

export interface HostOptions {
  /** A directory in place of "/"; containers are always this machine's. */
  root?: string;
  /** Of the kernel, such as "6.1.0-13-amd64". */
  release?: string;
  /** Where programs are looked for, as in PATH. */
  programs?: string;
}

export class ExaminedHost {
  readonly release: string;
  readonly #root: string;
  readonly #environment: NodeJS.ProcessEnv | undefined;

  constructor(options: HostOptions = {}) {
    this.release = options.release ?? release();
    this.#root = options.root ?? '/';
    this.#environment = options.programs === undefined ? undefined : { PATH: options.programs };
  }

  /** The text of a file; undefined when it cannot be read. */
  async text(path: string): Promise<string | undefined> {
    return await readFile(join(this.#root, path), 'utf8').catch(() => undefined);
  }

  async can(path: string, mode: number = constants.R_OK): Promise<boolean> {
    return await access(join(this.#root, path), mode).then(
      () => true,
      () => false,
    );
  }

  /** What a program prints; undefined when it is not there, fails or does not answer. */
  async output(program: string, ...args: string[]): Promise<string | undefined> {
    const options = {
      timeout: answerLimitMs,
      ...(this.#environment !== undefined && { env: this.#environment }),
    };
    const done = await run(program, args, options).catch(() => undefined);
    return done?.stdout;
  }

  /** The first version that "--version" prints, such as "1.0.0-rc10" or "28.2.2". */
  async versionOf(program: string): Promise<string | undefined> {
    const printed = await this.output(program, '--version');
    return /\d+(?:\.\d+)+(?:-rc\.?\d+)?/.exec(printed ?? '')?.[0];
  }
}
