// SPDX-License-Identifier: Apache-2.0
// What is measured, as data. A scenario's name is also what `--scenario` finds it by.
import { abuses } from '../test/_support/abuses.js';
import type { DriverName, Metric } from './measurement.js';
import { oomCases, quickOomCases } from './oom-cases.js';

/** How a client reads: open, read to the end and close each time, or pread on a kept descriptor. */
export type Access = 'open' | 'pread';

/** Clients in one container read one file as fast as they can. */
export interface LoadTask {
  kind: 'load';
  file: string;
  access: Access;
  clients: number;
}

/** The same with so many threads of lensfs that answer; what its default is decided by. */
export interface ReadersTask extends Omit<LoadTask, 'kind'> {
  kind: 'readers';
  readers: number;
}

/** Containers that read one file as fast as they can, and another one that reads it now and then. */
export interface PollingTask {
  kind: 'polling';
  file: string;
  pollers: number;
  seconds: number;
  /** Between two reads of the other one. */
  periodSeconds: number;
}

/** A container that reads now and then, and another one that is in its way. */
export interface HostileTask {
  kind: 'hostile';
  /** A name in test/_support/abuses.ts. */
  abuse: string;
  seconds: number;
  /** Between two reads. */
  periodSeconds: number;
}

/** `top -b` in a container, with the files in place of its own. */
export interface TopTask {
  kind: 'top';
  files: readonly string[];
  delaySec: number;
  iterations: number;
}

/** Containers of one process each; each reads all files once per second. */
export interface FleetTask {
  kind: 'fleet';
  files: readonly string[];
  containers: number;
  seconds: number;
}

/** The first read that a container ever makes. */
export interface ColdTask {
  kind: 'cold';
  file: string;
  containers: number;
}

/** Containers that read in turn, so that each read is of another view and is rendered. */
export interface GrowthTask {
  kind: 'growth';
  file: string;
  containers: number;
  seconds: number;
}

/** Containers of runc that are started with a view and, in turn with them, without one. */
export interface StartTask {
  kind: 'start';
  /** How they get it; "empty hook" is what runc takes to run a hook at all. */
  way: 'hook' | 'runtime' | 'mounts' | 'empty hook';
  /** Those that mounts are made for. */
  files: readonly string[];
  pairs: number;
}

/** The same as a load, while the control API is asked: by one who waits between, and by `hammers` who do not. */
export interface ControlTask extends Omit<LoadTask, 'kind'> {
  kind: 'control';
  hammers: number;
  /** Enough for a hundred answers, so that the 99th percentile is not the very first one. */
  seconds: number;
}

/** A container that takes memory until the kernel ends it. */
export interface OomTask {
  kind: 'oom';
  /** A name in oom-cases.ts. */
  case: string;
}

export type Task =
  | LoadTask
  | ReadersTask
  | PollingTask
  | ControlTask
  | HostileTask
  | TopTask
  | FleetTask
  | ColdTask
  | GrowthTask
  | StartTask
  | OomTask;

export interface Scenario {
  name: string;
  task: Task;
  drivers: readonly DriverName[];
  /** Part of `--quick`. */
  quick?: boolean;
  /** Those that `--quick` leaves, where gates are about some only. */
  quickDrivers?: readonly DriverName[];
  /** Not measured in later rounds. */
  maxRounds?: number;
  /** The same for `--quick`, where it takes as long as many others together. */
  quickMaxRounds?: number;
  /** Only runs when `--scenario` names it. */
  onlyByName?: boolean;
}

const loadColumns = [
  'readsPerSecond',
  'p50Usec',
  'p99Usec',
  'cpuUsecPerRead',
  'bytesPerRead',
] as const satisfies readonly Metric[];

/** What is shown of each kind; drivers are compared by the first. */
export const columns: Readonly<Record<Task['kind'], readonly [Metric, ...Metric[]]>> = {
  load: loadColumns,
  readers: loadColumns,
  polling: ['p99Usec', 'p50Usec', 'daemonCpuPercent'],
  control: [
    'answerP99Msec',
    'answerP50Msec',
    'answerMaxMsec',
    'answersPerSecond',
    'readsPerSecond',
    'p50Usec',
    'p99Usec',
  ],
  hostile: ['p99Usec', 'p50Usec', 'readsPerSecond'],
  top: ['clientCpuSec', 'wallSec', 'daemonCpuSec'],
  cold: ['p50Usec', 'p99Usec', 'cpuUsecPerRead'],
  fleet: [
    'cpuUsecPerRead',
    'daemonCpuPercent',
    'readsPerSecond',
    'p50Usec',
    'p99Usec',
    'rssMib',
    'pssMib',
  ],
  start: ['startMsec', 'plainMsec', 'extraMsec'],
  growth: ['cpuUsecPerRead', 'p50Usec', 'p99Usec', 'readsPerSecond', 'pssMib'],
  oom: ['errorPercent', 'optimismPercent', 'toldMib', 'takenMib'],
};

/** How often everything is measured, and how long each measurement by load takes. */
export interface Effort {
  rounds: number;
  loadSeconds: number;
}

export const fullEffort: Effort = { rounds: 5, loadSeconds: 1 };
export const quickEffort: Effort = { rounds: 5, loadSeconds: 0.15 };

/** What the clients' container may use; enough not to slow them down. */
export const limits = { memoryBytes: 256 * 2 ** 20, cpus: 2 };

/** Those that compute something per container, and the kernel. */
const contenders: readonly DriverName[] = ['lensfs-shared', 'lensfs-pinned', 'lxcfs', 'host-proc'];
const daemons = contenders.filter((name) => name !== 'host-proc');

/** Those that there are only some scenarios for: FUSE over io_uring, and constant texts. */
const extraDrivers: Readonly<Record<string, readonly DriverName[]>> = {
  'proc/meminfo': ['lensfs-ring', 'fuse-native', 'plain-file', 'bare-ring'],
  'proc/stat': ['lensfs-ring', 'plain-file', 'bare-ring'],
};

/** What `top` and most monitoring read. */
const commonFiles = ['meminfo', 'stat', 'loadavg', 'uptime', 'cpuinfo'].map(
  (name) => `proc/${name}`,
);

/** Too large to live in the page cache. */
const unpinnedFiles = ['proc/cpuinfo', 'proc/diskstats', 'proc/slabinfo', 'proc/vmstat'];

const otherFiles = [
  ...unpinnedFiles,
  'proc/loadavg',
  'proc/pressure/cpu',
  'proc/pressure/io',
  'proc/pressure/memory',
  'proc/swaps',
  'proc/uptime',
  'sys/devices/system/cpu/online',
];

const accesses: readonly Access[] = ['open', 'pread'];

/** The name of a load scenario, such as "meminfo open 8". */
export function loadName(file: string, access: Access, clients: number): string {
  return `${file.replace(/^proc\//, '')} ${access} ${clients}`;
}

export function controlName(clients: number, hammers: number): string {
  return `control API beside ${clients} readers, hammered by ${hammers}`;
}

export function oomName(name: string): string {
  return `oom: ${name}`;
}

function load(file: string, access: Access, clients: number): Scenario {
  return {
    name: loadName(file, access, clients),
    task: { kind: 'load', file, access, clients },
    drivers: unpinnedFiles.includes(file)
      ? contenders.filter((driver) => driver !== 'lensfs-pinned')
      : [...contenders, ...(extraDrivers[file] ?? [])],
  };
}

const mainLoads = ['proc/meminfo', 'proc/stat'].flatMap((file) =>
  accesses.flatMap((access) =>
    [1, 2, 8].map((clients) => ({ ...load(file, access, clients), quick: clients !== 2 })),
  ),
);

const otherLoads = otherFiles.flatMap((file) => accesses.map((access) => load(file, access, 1)));

const readersLoads = [1, 4, 16].flatMap((clients) =>
  accesses.flatMap((access) =>
    [1, 2, 4].map(
      (readers): Scenario => ({
        name: `readers ${readers}: meminfo ${access} ${clients}`,
        task: { kind: 'readers', readers, file: 'proc/meminfo', access, clients },
        drivers: ['lensfs-shared'],
        onlyByName: true,
      }),
    ),
  ),
);

const starts: readonly [way: StartTask['way'], drivers: readonly DriverName[]][] = [
  ['hook', ['lensfs-pinned']],
  ['runtime', ['lensfs-pinned']],
  ['mounts', ['lensfs-shared', 'lxcfs']],
  ['empty hook', ['host-proc']],
];

const fleet = { kind: 'fleet', files: commonFiles, containers: 1_000 } as const;

export const scenarios: readonly Scenario[] = [
  ...mainLoads,
  ...otherLoads,
  ...readersLoads,
  ...['proc/meminfo', 'proc/stat'].map(
    (file): Scenario => ({
      name: `${file.replace(/^proc\//, '')} beside 8 pollers`,
      task: { kind: 'polling', file, pollers: 8, seconds: 3, periodSeconds: 0.003 },
      drivers: contenders,
    }),
  ),
  // Long enough for a percentile of answers: one who only wants to know asks thirty times a second.
  ...[
    { clients: 1, hammers: 0, seconds: 6, quickMaxRounds: 0 },
    { clients: 1, hammers: 8, seconds: 3, quickMaxRounds: 2 },
    { clients: 8, hammers: 0, seconds: 6, quickMaxRounds: 3 },
  ].map(
    ({ clients, hammers, seconds, quickMaxRounds }): Scenario => ({
      name: controlName(clients, hammers),
      task: { kind: 'control', file: 'proc/meminfo', access: 'open', clients, hammers, seconds },
      drivers: ['lensfs-shared', 'lensfs-pinned'],
      quick: quickMaxRounds > 0,
      quickDrivers: ['lensfs-shared'],
      quickMaxRounds,
    }),
  ),
  ...Object.keys(abuses).map(
    (abuse): Scenario => ({
      name: `hostile: ${abuse}`,
      task: { kind: 'hostile', abuse, seconds: 3, periodSeconds: 0.003 },
      drivers: ['lensfs-shared'],
      onlyByName: true,
    }),
  ),
  {
    name: 'top',
    task: { kind: 'top', files: commonFiles, delaySec: 0.01, iterations: 300 },
    drivers: contenders,
  },
  {
    name: 'cold',
    task: { kind: 'cold', file: 'proc/meminfo', containers: 200 },
    drivers: contenders,
  },
  { name: 'fleet', task: { ...fleet, seconds: 10 }, drivers: [...contenders, 'bare-ring'] },
  {
    name: 'fleet for 10 minutes',
    task: { ...fleet, seconds: 600 },
    drivers: ['lensfs-shared', 'lensfs-pinned'],
    onlyByName: true,
  },
  ...[10, 100, 1_000, 4_000].map(
    (containers): Scenario => ({
      name: `growth ${containers}`,
      task: { kind: 'growth', file: 'proc/meminfo', containers, seconds: 3 },
      drivers: daemons,
    }),
  ),
  ...starts.map(
    ([way, drivers]): Scenario => ({
      name: `start by ${way}`,
      task: { kind: 'start', way, files: commonFiles, pairs: 20 },
      drivers,
    }),
  ),
  ...oomCases.map(
    ({ name }): Scenario => ({
      name: oomName(name),
      task: { kind: 'oom', case: name },
      drivers: ['lensfs-shared', 'lxcfs', 'host-proc'],
      maxRounds: 3,
      quick: quickOomCases.includes(name),
      quickDrivers: ['lensfs-shared'],
      quickMaxRounds: 1,
    }),
  ),
];
