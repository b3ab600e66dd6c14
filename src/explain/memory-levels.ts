// SPDX-License-Identifier: Apache-2.0
// The cgroups on the way to the root that limit memory -> the one that leaves least. Pure.

/** What one of them leaves; `null`: it does not limit that. */
export interface LevelRoom {
  cgroup: string;
  freeBytes: number | null;
  availableBytes: number | null;
  swapFreeBytes: number | null;
  /** v1: of memory and swap together. */
  memswFreeBytes: number | null;
}

/** The level that leaves least of `kind`, the lowest of them; `null` where none limits it. */
export function tightestLevel(
  levels: readonly LevelRoom[],
  kind: Exclude<keyof LevelRoom, 'cgroup'>,
): LevelRoom | null {
  return levels.reduce<LevelRoom | null>((least, level) => {
    const room = level[kind];
    if (room === null) return least;
    return least === null || room < (least[kind] ?? Number.POSITIVE_INFINITY) ? level : least;
  }, null);
}
