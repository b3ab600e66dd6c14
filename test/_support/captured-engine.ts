// SPDX-License-Identifier: Apache-2.0
// The engine of a captured host, as the testing addon opens it.

export interface CapturedEngineOptions {
  proc: string;
  cgroup: string;
  sys: string;
  /** The time since boot, for ever; the machine's own when left out. */
  boottime_usec?: bigint | number;
  cpu_count?: string;
  cpu_numbering?: string;
}

/** An engine that is asked for what a process reads; errors are thrown, not replaced. */
export interface CapturedEngine {
  read(path: string, pid: number): string;
  /** `path` is below sys/devices/system/cpu. */
  readSys(path: string, pid: number): string;
  files(): string[];
  /** Of a file in the page cache, in bytes; 0 for one that has no place there. */
  pageSize(path: string): number;
  layout(): 'v1' | 'v2' | 'hybrid';
  /** The path of the container root, in the first hierarchy that has one. */
  cgroup(pid: number): string;
}
