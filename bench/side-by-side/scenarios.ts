// SPDX-License-Identifier: Apache-2.0
// What is measured: every combination of these.

/** How a client reads: open, read to the end and close each time, or pread on a kept descriptor. */
export type Access = 'open' | 'pread';

export interface Scenario {
  file: string;
  access: Access;
  clients: number;
}

const files = ['proc/meminfo', 'proc/stat'];
const accesses: readonly Access[] = ['open', 'pread'];
const clientCounts = [1, 8];

export const scenarios: readonly Scenario[] = files.flatMap((file) =>
  accesses.flatMap((access) => clientCounts.map((clients) => ({ file, access, clients }))),
);

/** How long one measurement takes. */
export const secondsEach = 2;

export const defaultRounds = 5;

/** What the clients' container may use; enough not to slow them down. */
export const limits = { memoryBytes: 256 * 2 ** 20, cpus: 2 };
