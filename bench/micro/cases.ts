// SPDX-License-Identifier: Apache-2.0
// What bench/micro calls, as data: each parser with a captured text, each renderer with the records
// of a captured container. The host has 4 CPUs.
import { Specimen } from '../../test/_support/specimen.js';
import { core, type Sheet } from '../../test/_support/testing-addon.js';

export interface Case {
  name: string;
  /** Does it so many times; gives how often that allocated. */
  repeat: (count: number) => number;
}

const cpus = { cpuset: '0-3', online: '0-3' };
const cpuTime = { user_usec: 123_456_789, system_usec: 12_345_678, idle_usec: 1_234_567_890 };
const pressureLine = 'avg10=0.12 avg60=1.23 avg300=0.45 total=123456789';

/** Texts of one captured host: of its /proc, and of a container's cgroup. */
interface Texts {
  host: (file: string) => Promise<string>;
  cgroup: (file: string) => Promise<string>;
}

function textsOf(specimen: Specimen): Texts {
  const { tree } = specimen.host;
  return {
    host: (file) => tree.read(`proc/${file}`),
    cgroup: (file) => tree.read(specimen.cgroupFile(file)),
  };
}

export async function makeCases(): Promise<Case[]> {
  await using v2 = await Specimen.unpack('v2');
  await using v1 = await Specimen.unpack('v1');
  return [...(await parserCases(textsOf(v2), textsOf(v1))), ...(await rendererCases(textsOf(v2)))];
}

async function parserCases(v2: Texts, v1: Texts): Promise<Case[]> {
  const inputs = [
    ['proc/meminfo', core.repeatParseMemInfo, await v2.host('meminfo')],
    ['proc/stat', core.repeatParseStat, await v2.host('stat')],
    ['proc/cpuinfo', core.repeatParseCpuInfo, await v2.host('cpuinfo')],
    ['proc/diskstats', core.repeatParseDiskStats, await v2.host('diskstats')],
    ['proc/vmstat', core.repeatParseVmStat, await v2.host('vmstat')],
    ['memory.stat (v1)', core.repeatParseMemoryStatV1, await v1.cgroup('memory.stat')],
    ['memory.stat (v2)', core.repeatParseMemoryStatV2, await v2.cgroup('memory.stat')],
    ['cpu.stat (v2)', core.repeatParseCpuStatV2, await v2.cgroup('cpu.stat')],
    ['cpuacct.usage_all (v1)', core.repeatParseUsageAll, await v1.cgroup('cpuacct.usage_all')],
    ['io.stat (v2)', core.repeatParseIoStat, await v2.cgroup('io.stat')],
  ] as const;
  return inputs.map(([file, repeat, text]) => ({
    name: `parse ${file}`,
    repeat: (count) => repeat(text, count),
  }));
}

async function rendererCases({ host, cgroup }: Texts): Promise<Case[]> {
  const hostMemInfo = await host('meminfo');
  const stat = core.parseMemoryStatV2(await cgroup('memory.stat'));
  const limit_bytes = 64 * 2 ** 20;
  const memory = core.deriveMemoryView({ limit_bytes, usage_bytes: 2 ** 25, stat }, hostMemInfo);
  const cpu_times = { total: cpuTime, cpus: [0, 1, 2, 3].map((cpu) => ({ ...cpuTime, cpu })) };
  const devices = core.parseIoStat(await cgroup('io.stat'));
  const inputs: [file: string, repeat: (sheet: Sheet, count: number) => number, sheet: Sheet][] = [
    ['proc/cpuinfo', core.repeatRenderCpuInfo, { cpus, host_cpuinfo: await host('cpuinfo') }],
    [
      'proc/diskstats',
      core.repeatRenderDiskStats,
      { devices, host_diskstats: await host('diskstats') },
    ],
    ['proc/loadavg', core.repeatRenderLoadAverage, { load: [2048, 1024, 512] }],
    ['proc/meminfo', core.repeatRenderMemInfo, { memory, host_meminfo: hostMemInfo }],
    [
      'proc/pressure/memory',
      core.repeatRenderPressure,
      { pressure: `some ${pressureLine}\nfull ${pressureLine}\n` },
    ],
    ['proc/stat', core.repeatRenderStat, { cpus, cpu_times, host_stat: await host('stat') }],
    ['proc/swaps', core.repeatRenderSwaps, { memory: { swap_total: 65_536, swap_free: 1_024 } }],
    ['proc/uptime', core.repeatRenderUptime, { cpu_times, age_usec: 123_456_789 }],
    [
      'proc/vmstat',
      core.repeatRenderVmStat,
      { memory, memory_stat: stat, host_vmstat: await host('vmstat') },
    ],
    ['sys/devices/system/cpu/online', core.repeatRenderCpuOnline, { cpus }],
  ];
  return inputs.map(([file, repeat, sheet]) => ({
    name: `render ${file}`,
    repeat: (count) => repeat(sheet, count),
  }));
}
