// SPDX-License-Identifier: Apache-2.0
// The vocabulary of the benchmark: what is measured, and of whom.

export const driverNames = [
  'lensfs-shared',
  'lensfs-ring',
  'lensfs-pinned',
  'lxcfs',
  'host-proc',
  'fuse-native',
  'plain-file',
  'bare-ring',
] as const;

export type DriverName = (typeof driverNames)[number];

interface MetricNotes {
  /** The column's head, with the unit. */
  title: string;
  digits: number;
}

export const metrics = {
  readsPerSecond: { title: 'reads/s', digits: 0 },
  p50Usec: { title: 'p50 µs', digits: 1 },
  p99Usec: { title: 'p99 µs', digits: 1 },
  cpuUsecPerRead: { title: 'daemon CPU µs/read', digits: 2 },
  bytesPerRead: { title: 'bytes', digits: 0 },
  startMsec: { title: 'start ms', digits: 1 },
  plainMsec: { title: 'without ms', digits: 1 },
  extraMsec: { title: 'difference ms', digits: 1 },
  answerP50Msec: { title: 'API p50 ms', digits: 2 },
  answerP99Msec: { title: 'API p99 ms', digits: 2 },
  answerMaxMsec: { title: 'API max ms', digits: 1 },
  answersPerSecond: { title: 'answers/s', digits: 0 },
  wallSec: { title: 'wall s', digits: 2 },
  clientCpuSec: { title: 'CPU s', digits: 2 },
  daemonCpuSec: { title: 'daemon CPU s', digits: 3 },
  daemonCpuPercent: { title: 'daemon CPU %', digits: 2 },
  errorPercent: { title: 'off by % of the limit', digits: 2 },
  optimismPercent: { title: 'too much %', digits: 2 },
  toldMib: { title: 'told MiB', digits: 1 },
  takenMib: { title: 'got MiB', digits: 1 },
  rssMib: { title: 'RSS MiB', digits: 1 },
  pssMib: { title: 'PSS MiB', digits: 1 },
} satisfies Record<string, MetricNotes>;

export type Metric = keyof typeof metrics;

export type Values = Partial<Record<Metric, number>>;

/** What one way to measure gives. */
export interface Outcome {
  values: Values;
  /** Reads that failed or gave nothing. */
  errors: number;
}

export interface Measurement extends Outcome {
  scenario: string;
  driver: DriverName;
  round: number;
  /** What went wrong, in words. */
  note?: string;
}
