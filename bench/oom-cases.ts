// SPDX-License-Identifier: Apache-2.0
// Containers that take memory until the kernel ends them, as data. Amounts are MiB, of slab files.

export interface OomCase {
  name: string;
  /** The container's own limit. */
  limit: number;
  /** Limits of the cgroups above it, outermost first; null: none. */
  above?: readonly (number | null)[];
  /** Steps of a process in a cgroup beside it, before the container asks; as native/load/eater.cc has them. */
  neighbour?: readonly string[];
  /** Taken by the neighbour at the same time as by the container. */
  grows?: string;
  /** Steps of the container before it asks. */
  before?: readonly string[];
  /** What it takes until it is ended. */
  kind: string;
  swap?: number;
  hugePages?: number;
  /** Why nobody can know in advance; then nothing is asked of lensfs. */
  unknowable?: string;
}

const limit = 256;
const shared = { limit, above: [limit] };

export const oomCases: readonly OomCase[] = [
  { name: 'anonymous memory', limit, kind: 'anonymous' },
  { name: 'tmpfs', limit, kind: 'shared' },
  { name: 'mlock', limit, kind: 'locked' },
  { name: "threads' stacks", limit, kind: 'stacks' },
  { name: 'sockets', limit, kind: 'sockets' },
  { name: 'after own page cache', limit, before: ['cache=100'], kind: 'anonymous' },
  { name: 'after own tmpfs', limit, before: ['shared=64'], kind: 'anonymous' },
  {
    name: 'after many small files',
    limit,
    before: ['slab=20000'],
    kind: 'anonymous',
    unknowable:
      'cgroup v1 does not tell how much of the memory that the kernel keeps for files can be given back; v2 does',
  },
  { name: 'parent with less', limit, above: [192], kind: 'anonymous' },
  { name: 'beside an idle neighbour', ...shared, neighbour: ['anonymous=100'], kind: 'anonymous' },
  {
    name: "beside a neighbour's page cache",
    ...shared,
    neighbour: ['cache=100'],
    kind: 'anonymous',
  },
  { name: "beside a neighbour's tmpfs", ...shared, neighbour: ['shared=100'], kind: 'anonymous' },
  {
    name: 'beside a growing neighbour',
    ...shared,
    neighbour: ['anonymous=20'],
    grows: 'anonymous=100',
    kind: 'anonymous',
    unknowable: 'what the neighbour is about to take is known to nobody',
  },
  {
    name: 'ten levels deep',
    limit,
    above: [1024, null, 200, null, 512, 512, null, 300, 300],
    neighbour: ['anonymous=50'],
    kind: 'anonymous',
  },
  { name: 'with swap', limit: 128, swap: 128, kind: 'anonymous' },
  { name: 'with huge pages', limit, hugePages: 8, before: ['huge=16'], kind: 'anonymous' },
];

/** Short enough for every change. */
export const quickOomCases = ['anonymous memory', 'beside an idle neighbour', 'parent with less'];
