// SPDX-License-Identifier: Apache-2.0
// Profiles: containers of a real Docker that get other values than the rest, by label, name or cgroup.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus as hostCpus } from 'node:os';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import type { Container } from '../_support/container.js';
import { containerRequirements } from '../_support/containers.js';
import { DockerContainer, endpoint } from '../_support/docker.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { patience } from '../_support/patience.js';
import { parseMemInfo } from '../_support/proc-text.js';
import { testWith, twoCpus } from '../_support/requirements.js';
import { Swap, swapSpace } from '../_support/swap.js';
import { TempDir } from '../_support/temp-dir.js';
import { mebibyte } from '../_support/units.js';
import { waitUntil } from '../_support/wait.js';

// Each command in a container takes seconds where the machine is busy.
vi.setConfig({ testTimeout: 180_000 * patience });

const test = testWith(...containerRequirements);
const testOnTwo = testWith(...containerRequirements, twoCpus);
const testWithSwap = testWith(...containerRequirements, swapSpace);

/** There from the start; the last one that fits counts most. */
const profiles = `
  - {match: {label: lens.count=cpuset}, cpu: {count: cpuset}}
  - {match: {label: lens.numbering=virt*}, cpu: {numbering: virtual}}
  - {match: {label: lens.noswap}, swap: off}
  - {match: {label: lens.freshness=long}, freshness: 60s}
  - {match: {label: lens.files=few}, swap: off, files: [proc/uptime]}
  - {match: {label: lens.last}, files: [proc/meminfo]}
`;

const limitKib = 64 * 1024;
const hostKib = parseMemInfo(readFileSync('/proc/meminfo', 'utf8'))['MemTotal'];
const flags = ['--memory', '64m', '--cpus', '0.5'];

let dir: TempDir;
let configFile: string;
let daemon: RunningDaemon;
/** No profile fits it. */
let plain: DockerContainer;
/** Several do. */
let special: DockerContainer;

beforeAll(async () => {
  if (!containerRequirements.every((requirement) => requirement.met())) return;
  dir = await TempDir.create();
  configFile = dir.at('config.yaml');
  await setProfiles(profiles);
  const docker = `roots.docker=${endpoint().dataRoot}`;
  daemon = await RunningDaemon.start(['--config', configFile, '--set', docker]);
  plain = await start(['lens.count=quota', 'lens.numbering=physical'], ...flags);
  special = await start(['lens.count=cpuset', 'lens.noswap=', 'lens.freshness=long'], ...flags);
}, 180_000 * patience);

afterAll(async () => {
  await special?.[Symbol.asyncDispose]();
  await plain?.[Symbol.asyncDispose]();
  await daemon?.[Symbol.asyncDispose]();
  await dir?.[Symbol.asyncDispose]();
}, 180_000 * patience);

async function setProfiles(text: string): Promise<void> {
  await writeFile(configFile, `profiles:${text}`);
}

async function start(labels: readonly string[], ...more: string[]): Promise<DockerContainer> {
  const labelFlags = labels.flatMap((label) => ['--label', label]);
  return await DockerContainer.start(daemon.tree, [...labelFlags, ...more]);
}

async function totalKib(container: Container): Promise<number | undefined> {
  return (await container.memInfo())['MemTotal'];
}

describe('a profile for a label', () => {
  test('says whether a quota counts', async () => {
    expect(await special.processors()).toHaveLength(hostCpus().length);
    expect(await plain.processors()).toHaveLength(1);
  });

  testOnTwo('says how CPUs are numbered', async () => {
    await using virtual = await start(['lens.numbering=virtual'], '--cpuset-cpus', '1');
    expect(await virtual.processors()).toEqual([0]);
  });

  testWithSwap('says whether there is swap', async () => {
    await using _swap = await Swap.ensure(16 * mebibyte);
    expect((await special.memInfo())['SwapTotal']).toBe(0);
    expect((await plain.memInfo())['SwapTotal']).toBeGreaterThan(0);
  });

  test('says how long bytes are good for', async () => {
    const [first] = await special.uptime();
    const [before] = await plain.uptime();
    await waitUntil('time goes on', async () => (await plain.uptime())[0] > before);
    expect((await special.uptime())[0]).toBe(first);
  });

  test("says which files are the container's own, for its first process already", async () => {
    const label = ['--label', 'lens.files=few'];
    const command = ['/busybox', 'cat', '/proc/meminfo', '/proc/uptime'];
    const text = await DockerContainer.once(daemon.tree, [...label, ...flags], command);
    const [, meminfo = '', uptime] = /^(.*\n)(.*)$/s.exec(text) ?? [];
    expect(parseMemInfo(meminfo)['MemTotal']).toBe(hostKib);
    const [hostUptime = 0] = readFileSync('/proc/uptime', 'utf8').split(' ').map(Number);
    expect(Number(uptime?.split(' ')[0])).toBeLessThan(hostUptime / 2);
    expect(await totalKib(plain)).toBe(limitKib);
  });

  test('gives way, value by value, to a later one that fits', async () => {
    await using both = await start(['lens.files=few', 'lens.last='], ...flags);
    const { MemTotal, SwapTotal } = await both.memInfo();
    expect([MemTotal, SwapTotal]).toEqual([limitKib, 0]);
  });

  test('is shown beside the name of its container', async () => {
    const { views } = JSON.parse((await daemon.command('views', '--json')).stdout);
    for (const [{ name }, hasOwnPolicy] of [
      [special, true],
      [plain, false],
    ] as const) {
      expect(views).toContainEqual(expect.objectContaining({ name, hasOwnPolicy }));
    }
  });
});

describe('a profile that a reload brings', () => {
  const reload = async (text: string) => {
    await setProfiles(text);
    expect(await daemon.command('reload')).toMatchObject({ code: 0 });
  };

  test('is for the container of a name that runs already, until it is taken away', async () => {
    expect(await totalKib(plain)).toBe(limitKib);
    await reload(`\n  - {match: {name: "${plain.name.slice(0, -1)}?"}, files: [proc/stat]}\n`);
    await expect.poll(() => totalKib(plain)).toBe(hostKib);
    expect(await totalKib(special)).toBe(limitKib);
    await reload(profiles);
    await expect.poll(() => totalKib(plain)).toBe(limitKib);
  });

  test('is for all cgroups that a pattern fits', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    const read = async () => {
      const { stdout } = await run(...cgroup.contain('cat', `${daemon.tree}/proc/meminfo`));
      return parseMemInfo(stdout)['MemTotal'];
    };
    expect(await read()).toBe(limitKib);
    await reload(`\n  - {match: {cgroup: "${cgroup.path.slice(0, -1)}?"}, files: [proc/stat]}\n`);
    await expect.poll(read).toBe(hostKib);
    await reload(`\n  - {match: {cgroup: "${cgroup.path}/*"}, files: [proc/stat]}\n`);
    await expect.poll(read).toBe(limitKib);
  });
});
