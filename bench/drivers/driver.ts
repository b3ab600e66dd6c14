// SPDX-License-Identifier: Apache-2.0
import type { DriverName } from '../measurement.js';

/** Where a reader finds a file, such as "proc/meminfo"; it may not be there. */
export type FindFile = (file: string) => string;

export interface Memory {
  rssMib: number;
  pssMib: number;
}

/** Something that serves files to containers: a running daemon, or the kernel. */
export interface Driver extends AsyncDisposable {
  readonly name: DriverName;
  /** Of lensfs: its directories. */
  readonly places?: { tree: string; runDir: string };
  /** For the readers in a cgroup; "{}" in its path stands for four digits, and stays in the result. */
  filesFor(cgroupPath: string): Promise<FindFile>;
  /** CPU time of all its processes since it began; undefined when it has none. */
  cpuUsec(): Promise<number | undefined>;
  memory(): Promise<Memory | undefined>;
  /** Where lensfs answers questions about itself. */
  readonly controlSocket?: string;
  /** How it ended by itself; undefined while it runs. */
  ending(): string | undefined;
}

export interface DriverOptions {
  /** Renders for each read, where it would use bytes again. */
  alwaysRender?: boolean;
  /** Threads that answer; nobody else than lensfs can be told. */
  readers?: number;
}

export type StartDriver = (options: DriverOptions) => Promise<Driver>;
