// SPDX-License-Identifier: Apache-2.0
// What the addon says of how a file is made: native/addon/reports.cc.

/** The bytes of a file, made now, and the kernel files they were made of. */
export interface NativeExplanation {
  text: string;
  hostText: string;
  isHosts: boolean;
  isOff: boolean;
  cgroup: string;
  initPid: number;
  ageUsec: number;
  cpus: string;
  inputs: { path: string; text: string }[];
  memoryLevels: MemoryLevel[];
}

/** A cgroup that shares a memory limit with the container. */
export interface MemoryNeighbour {
  /** Of its directory below the level's. */
  name: string;
  usageBytes: number;
  /** memory.min and memory.low, which keep its memory from being reclaimed. */
  minBytes: number;
  lowBytes: number;
}

/** One cgroup on the way to the root that limits memory or swap, and what it leaves; `null`: it does not limit that. */
export interface MemoryLevel {
  cgroup: string;
  limitBytes: number | null;
  highBytes: number | null;
  usageBytes: number;
  reclaimableBytes: number;
  freeBytes: number | null;
  availableBytes: number | null;
  swapFreeBytes: number | null;
  /** v1: of memory and swap together. */
  memswFreeBytes: number | null;
  /** How many share it. */
  neighbours: number;
  hasMoreNeighbours: boolean;
  /** At most three, the largest first. */
  largest: MemoryNeighbour[];
  /** At most three whose memory is protected, the largest first. */
  protecting: MemoryNeighbour[];
}
