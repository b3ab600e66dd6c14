// SPDX-License-Identifier: Apache-2.0
// The shapes of the answers on the control socket. Pure.
import { z } from '../zod.js';

const count = z.int().min(0);
const percent = z.number().min(0);

/** What people are told where `findsById` is false. */
export const withoutIds =
  'found by name and process only, as open_by_handle_at is refused (seccomp, CAP_DAC_READ_SEARCH)';

/** Reply to `status`; counters are since the start of the process that answers reads. */
export const statusReply = z.object({
  version: z.string(),
  pid: z.int().describe("the keeper's: what a service manager and signals know"),
  workerPid: z.int(),
  workers: count.describe('how many have served, this one included'),
  orphaned: z.boolean().describe('the keeper is dead: a start of lensfs would take over'),
  layers: count.describe("of the public tree's highest stack"),
  uptimeSec: z.number().describe('of the worker'),
  tree: z.string(),
  runDir: z.string(),
  configProblems: z
    .array(z.string())
    .describe('what is wrong with the configuration, in whose place the last good one is in force'),
  layout: z.enum(['v1', 'v2', 'hybrid']),
  findsById: z
    .boolean()
    .describe('whether cgroups are found by their ids: not where open_by_handle_at(2) is refused'),
  controllers: z.record(z.string(), z.string()),
  views: count,
  transport: z.object({
    kind: z.enum(['ring', 'classic']).describe('how reads of the public tree come from the kernel'),
    reason: z
      .string()
      .describe(
        'why there are no rings, or none for views by name, though they were wanted; else empty',
      ),
    cpus: count.describe('how many have a ring'),
    bytesPerCpu: count,
    forced: count.describe(
      'tasks that were ended while they waited: a read may have failed at that moment',
    ),
  }),
  handles: count,
  heldDescriptors: count,
  replays: count.describe(
    'requests a worker answered for one that had ended, since the mounts are there',
  ),
  refusals: count.describe('those refused because two workers had ended while they answered them'),
  quarantine: z
    .array(z.object({ cgroup: z.string(), deaths: count, leftSec: count }))
    .describe(
      'cgroups that are not read for so long, as so many workers in a row crashed or hung while they read them',
    ),
  reads: count,
  renders: count,
  resolves: count,
  memoryLevelReads: count.describe(
    "reads of an ancestor's memory files, for all views below it together",
  ),
  readsByFile: z.array(z.object({ file: z.string(), outcome: z.string(), count })),
  fallbacks: z.array(z.object({ file: z.string(), cause: z.string(), count })),
});

/** One container root and what is known of it. */
export const viewReply = z.object({
  id: z.string().describe('names the view in paths; empty for the host itself'),
  name: z.string().nullable().describe("the container's name, where its runtime tells it"),
  cgroup: z.string(),
  initPid: z.int(),
  ageSec: z.number(),
  idleSec: z.number().describe('since somebody read its files'),
  reads: count,
  hits: count.describe('reads answered with bytes that were young enough'),
  readers: count.describe('tasks that read its files in the last 100 ms'),
  memoryLimitBytes: count.nullable(),
  memoryTotalBytes: count.nullable(),
  memoryUsageBytes: count.nullable(),
  memoryAvailableBytes: count.nullable(),
  memoryRoomLevel: z
    .string()
    .nullable()
    .describe("the ancestor whose limit leaves less than the container's own"),
  swapTotalBytes: count.nullable(),
  swapUsageBytes: count.nullable(),
  cpus: z.string().describe('the CPUs it sees, such as "0-1"'),
  cpuCount: count,
  cpuQuota: z.number().nullable().describe('CPUs per period; null without a quota'),
  userUsec: count.nullable(),
  systemUsec: count.nullable(),
  throttledUsec: count.nullable(),
  tasks: count.nullable(),
  load: z.array(z.number()).length(3).nullable(),
  pressureCpuPercent: percent.nullable(),
  pressureMemoryPercent: percent.nullable(),
  pressureIoPercent: percent.nullable(),
  hasOwnPolicy: z.boolean().describe('a profile of the configuration applies'),
  problem: z.string().describe('what could not be read; empty when all could'),
});

export const viewsReply = z.object({ views: z.array(viewReply) });

export const filesReply = z.object({ files: z.array(z.string()) });

/** Where one number of a file comes from. */
export const explainedNumber = z.object({
  name: z.string().describe('the line or column, as the file calls it'),
  value: z.string(),
  formula: z.string(),
  sources: z.array(z.object({ path: z.string(), key: z.string(), value: z.string() })),
  decidedBy: z
    .string()
    .nullable()
    .describe('the cgroup whose limit is the smallest, where a limit decides'),
  host: z.string().nullable().describe('what would be there on the host'),
});

const neighbour = z.object({
  name: z.string(),
  usageBytes: count,
  minBytes: z.number().describe('memory.min: so much of it is not reclaimed'),
  lowBytes: z.number().describe('memory.low: the same, as long as there is something else'),
});

/** One cgroup on the way to the root that limits memory or swap; null: it does not limit that. */
export const memoryLevel = z.object({
  cgroup: z.string(),
  limitBytes: count.nullable(),
  highBytes: count.nullable(),
  usageBytes: count,
  reclaimableBytes: count,
  freeBytes: count.nullable(),
  availableBytes: count.nullable(),
  swapFreeBytes: count.nullable(),
  memswFreeBytes: count.nullable().describe('v1: of memory and swap together'),
  neighbours: count.describe('cgroups that share it'),
  hasMoreNeighbours: z.boolean(),
  largest: z.array(neighbour).describe('at most three, the largest first'),
  protecting: z.array(neighbour).describe('at most three whose memory is kept from reclaim'),
});

export const explainReply = z.object({
  file: z.string(),
  cgroup: z.string(),
  initPid: z.int(),
  isHosts: z.boolean().describe("the host's own file is the right one for this view"),
  reason: z.string(),
  numbers: z.array(explainedNumber),
  memoryLevels: z.array(memoryLevel).describe('the container root first'),
});

/** Reply to `reload`: the keys that changed, by when they take effect. */
export const reloadReply = z.object({
  applied: z.array(z.string()),
  needsRestart: z.array(z.string()),
});

/** Reply to `stop`, sent when nothing is mounted any more; the daemon then exits. */
export const stopReply = z.object({ stopped: z.literal(true) });

/** The configuration in force, and which of its keys may be changed while the daemon runs. */
export const configReply = z.object({
  config: z.record(z.string(), z.unknown()),
  live: z.array(z.string()),
});

/** Body of every reply that is not a success. */
export const errorReply = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export type StatusReply = z.output<typeof statusReply>;
export type ViewReply = z.output<typeof viewReply>;
export type ExplainReply = z.output<typeof explainReply>;
export type ExplainedNumber = z.output<typeof explainedNumber>;
export type MemoryLevel = z.output<typeof memoryLevel>;
export type StopReply = z.output<typeof stopReply>;
export type ReloadReply = z.output<typeof reloadReply>;
export type ConfigReply = z.output<typeof configReply>;
export type ErrorReply = z.output<typeof errorReply>;
