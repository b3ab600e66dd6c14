// SPDX-License-Identifier: Apache-2.0
// What lensfs must reach, as ratios of figures of one run: machines differ, their ratios hardly do. And bounds in
// their own unit, where people wait for an answer.

import type { DriverName, Measurement, Metric } from './measurement.js';
import { oomCases } from './oom-cases.js';
import { type Access, controlName, loadName, oomName } from './scenarios.js';
import { type Place, pairedRatio, type Spread } from './statistics.js';

export interface Gate {
  title: string;
  metric: Metric;
  /** A number is a bound in the metric's unit. */
  numerator: Place | number;
  denominator: Place;
  /** The least ratio. */
  target: number;
  /** No margin: the bound leaves room enough. */
  isExact?: boolean;
  /** With `best`, who cannot be beaten, in the driver's place: a target above that ratio is out of reach on this machine. */
  ceiling?: { best: DriverName; numerator: Place; denominator: Place };
}

export interface Verdict {
  gate: Gate;
  /** Undefined when the run was to measure it and has not. */
  ratio: Spread | undefined;
  /** That of the ceiling. */
  ceiling: Spread | undefined;
  /** The target less its margin. */
  needed: number;
  outcome: 'ok' | 'failed' | 'out of reach';
}

/** The part of a target that must be reached: a busy machine has other things to do. */
export const share = 0.7;

const mainFiles = ['meminfo', 'stat'];

/** Who does the same without any work of its own. */
const unbeatable: Partial<Record<DriverName, DriverName>> = {
  'lensfs-pinned': 'plain-file',
  'lensfs-ring': 'bare-ring',
};

/** `driver` reads a file at least `target` times as often as `peer`. */
function faster(
  driver: DriverName,
  peer: DriverName,
  target: number,
  [file, access, clients]: [file: string, access: Access, clients: number],
): Gate {
  const scenario = loadName(`proc/${file}`, access, clients);
  const best = unbeatable[driver];
  // Not for what no daemon is needed for, and not for itself.
  const isBound = best !== undefined && peer !== best && peer !== 'host-proc';
  return {
    title: `${driver} reads ${scenario}: rate against ${peer}`,
    metric: 'readsPerSecond',
    numerator: { driver, scenario },
    denominator: { driver: peer, scenario },
    target,
    ...(isBound && {
      ceiling: {
        best,
        numerator: { driver: best, scenario },
        denominator: { driver: peer, scenario },
      },
    }),
  };
}

/** `peer` uses at least `target` times as much of a figure as `driver`. */
function cheaper(driver: DriverName, metric: Metric, target: number, scenario: string): Gate {
  // The page cache has no daemon.
  const best = driver === 'lensfs-ring' ? unbeatable[driver] : undefined;
  return {
    title: `${driver}, ${scenario}: daemon CPU${metric === 'cpuUsecPerRead' ? ' per read' : ''} of lxcfs against its own`,
    metric,
    numerator: { driver: 'lxcfs', scenario },
    denominator: { driver, scenario },
    target,
    ...(best !== undefined && {
      ceiling: {
        best,
        numerator: { driver: 'lxcfs', scenario },
        denominator: { driver: best, scenario },
      },
    }),
  };
}

/** A read costs the same with many views as with few. */
function flat(driver: DriverName, containers: number): Gate {
  return {
    title: `${driver}: daemon CPU per read with 10 views against ${containers}`,
    metric: 'cpuUsecPerRead',
    numerator: { driver, scenario: 'growth 10' },
    denominator: { driver, scenario: `growth ${containers}` },
    target: 1,
  };
}

/** The control API and the reads do not get in each other's way. */
const beside: readonly Gate[] = [
  {
    title: 'lensfs-shared, 8 readers: 50 ms against p99 of the control API',
    metric: 'answerP99Msec',
    numerator: 50,
    denominator: { driver: 'lensfs-shared', scenario: controlName(8, 0) },
    target: 1,
  },
  {
    title: 'lensfs-shared: p50 of reads alone against beside 8 who ask the control API',
    metric: 'p50Usec',
    numerator: { driver: 'lensfs-shared', scenario: loadName('proc/meminfo', 'open', 1) },
    denominator: { driver: 'lensfs-shared', scenario: controlName(1, 8) },
    target: 1,
  },
];

/** What a container is told, against what it gets. */
const predictions: readonly Gate[] = oomCases
  .filter(({ unknowable }) => unknowable === undefined)
  .flatMap(({ name }): Gate[] => {
    const denominator: Place = { driver: 'lensfs-shared', scenario: oomName(name) };
    const most = (metric: Metric, percent: number, what: string): Gate => ({
      title: `lensfs-shared, ${oomName(name)}: ${percent} % of the limit against ${what}`,
      ...{ metric, numerator: percent, denominator, target: 1, isExact: true },
    });
    return [
      most('errorPercent', 5, 'what MemAvailable was off by'),
      most('optimismPercent', 3, 'what it was too much'),
    ];
  });

export const gates: readonly Gate[] = mainFiles
  .flatMap((file): Gate[] => [
    ...[1, 8].flatMap((clients) => [
      faster('lensfs-pinned', 'lxcfs', 100, [file, 'open', clients]),
      faster('lensfs-pinned', 'host-proc', 1, [file, 'open', clients]),
      faster('lensfs-pinned', 'lxcfs', 100, [file, 'pread', clients]),
      faster('lensfs-pinned', 'host-proc', 2, [file, 'pread', clients]),
    ]),
    faster('lensfs-shared', 'lxcfs', 4, [file, 'open', 8]),
    faster('lensfs-shared', 'lxcfs', 6, [file, 'pread', 8]),
    faster('lensfs-shared', 'lxcfs', 1, [file, 'open', 1]),
    faster('lensfs-shared', 'lxcfs', 1.4, [file, 'pread', 1]),
    cheaper('lensfs-shared', 'cpuUsecPerRead', 5, loadName(`proc/${file}`, 'open', 8)),
    faster('lensfs-ring', 'lensfs-shared', 1.3, [file, 'open', 8]),
    faster('lensfs-ring', 'lensfs-shared', 1.5, [file, 'pread', 8]),
    faster('lensfs-ring', 'lxcfs', 3, [file, 'open', 1]),
    faster('lensfs-ring', 'lxcfs', 5, [file, 'pread', 1]),
    faster('lensfs-ring', 'lxcfs', 6, [file, 'open', 8]),
    faster('lensfs-ring', 'lxcfs', 10, [file, 'pread', 8]),
    cheaper('lensfs-ring', 'cpuUsecPerRead', 8, loadName(`proc/${file}`, 'open', 8)),
    // Of what rings give at all on this machine.
    ...[1, 8].flatMap((clients) => [
      faster('lensfs-ring', 'bare-ring', 0.9, [file, 'open', clients]),
      faster('lensfs-ring', 'bare-ring', 0.9, [file, 'pread', clients]),
    ]),
  ])
  .concat(
    (['lensfs-shared', 'lensfs-pinned'] as const).flatMap((driver) => [
      cheaper(driver, 'daemonCpuPercent', 4, 'fleet'),
      // And per read: who does not keep the rate has answered less.
      cheaper(driver, 'cpuUsecPerRead', 4, 'fleet'),
      ...[100, 1_000, 4_000].map((containers) => flat(driver, containers)),
    ]),
  )
  .concat(beside)
  .concat(predictions);

/** Judges the gates whose figures the run was to measure. */
export function judge(
  measurements: readonly Measurement[],
  isPlanned: (place: Place) => boolean,
): Verdict[] {
  return gates
    .filter(({ numerator, denominator }) =>
      [numerator, denominator].every((place) => typeof place === 'number' || isPlanned(place)),
    )
    .map((gate) => judgeOne(gate, measurements));
}

function judgeOne(gate: Gate, measurements: readonly Measurement[]): Verdict {
  const { metric, numerator, denominator, target } = gate;
  const ratio = pairedRatio(measurements, metric, numerator, denominator);
  const ceiling =
    gate.ceiling &&
    pairedRatio(measurements, metric, gate.ceiling.numerator, gate.ceiling.denominator);
  const needed = gate.isExact === true ? target : target * share;
  const isReached = ratio !== undefined && ratio.median >= needed;
  // In every round: what is seen only now and then says nothing of this machine.
  const isReachable = ceiling === undefined || ceiling.lowest >= target;
  const miss = ratio === undefined || isReachable ? 'failed' : 'out of reach';
  return { gate, ratio, ceiling, needed, outcome: isReached ? 'ok' : miss };
}
