// SPDX-License-Identifier: Apache-2.0
// What the tests do with a running container, whatever runs it.
import { type Finished, run } from './lensfs.js';
import { type CpuColumns, parseMemInfo, parseProcessors, parseStat } from './proc-text.js';
import { PythonProcess } from './python.js';

/** A command line. */
export type Argv = readonly [string, ...string[]];

export interface InsideOptions {
  /** Another user than root. */
  user?: number;
  /** Whether it reads the standard input of the command line. */
  reads?: boolean;
}

/** A running container; disposing kills and removes it. */
export abstract class Container implements AsyncDisposable {
  abstract readonly name: string;

  /** The command line, on the host, that runs `argv` in the container. */
  abstract inside(argv: readonly string[], options?: InsideOptions): Argv;

  /** The first process, as the host sees it. */
  abstract pid(): Promise<number>;

  abstract [Symbol.asyncDispose](): Promise<void>;

  /** Runs a command in the container to its end. */
  async run(...argv: string[]): Promise<Finished> {
    const [command, ...args] = this.inside(argv);
    return await run(command, args);
  }

  /** The same, as another user. */
  async runAs(user: number, ...argv: string[]): Promise<Finished> {
    const [command, ...args] = this.inside(argv, { user });
    return await run(command, args);
  }

  /**
   * What a command prints in the container.
   *
   * @throws {Error} with all it wrote, when it fails
   */
  async output(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...argv);
    if (code === 0) return stdout;
    throw new Error(`"${argv.join(' ')}" in ${this.name} ended with ${code}: ${stdout}${stderr}`);
  }

  /** A script of Python that runs in the container (see python.ts). */
  python(script: string, ...args: string[]): PythonProcess {
    return new PythonProcess(script, { args, prefix: this.inside([], { reads: true }) });
  }

  async read(path: string): Promise<string> {
    return await this.output('/busybox', 'cat', path);
  }

  /** `/proc/meminfo`, in kB. */
  async memInfo(): Promise<Record<string, number>> {
    return parseMemInfo(await this.read('/proc/meminfo'));
  }

  /** The numbers of the CPUs in `/proc/cpuinfo`. */
  async processors(): Promise<number[]> {
    return parseProcessors(await this.read('/proc/cpuinfo'));
  }

  /** The lines of `/proc/stat` that begin with "cpu", in clock ticks. */
  async cpuLines(): Promise<Record<string, CpuColumns>> {
    return parseStat(await this.read('/proc/stat')).cpus;
  }

  /** The two numbers of `/proc/uptime`, in seconds. */
  async uptime(): Promise<[number, number]> {
    const [uptime = Number.NaN, idle = Number.NaN] = (await this.read('/proc/uptime'))
      .split(' ')
      .map(Number);
    return [uptime, idle];
  }
}
