// SPDX-License-Identifier: Apache-2.0
// Containers that ask for too much: the daemon's memory and descriptors stay bounded, everybody else goes
// on reading the right values, and nothing is left of it afterwards.
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { abuses } from '../_support/abuses.js';
import { HostileContainers } from '../_support/hostile-containers.js';
import type { RunningDaemon } from '../_support/lensfs.js';
import { allClosed, statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { mebibyte } from '../_support/units.js';

const daemon = useDaemon();

// Snapshots of all handles together, and what the allocator needs for them.
const mostGrowthBytes = 128 * mebibyte;
const mostDescriptors = 2000;

/** Reads until it is told to stop; replies with how often, and how often it was wrong. */
const bystander = `
  import threading
  wrong, done, stop = 0, 0, False
  def read():
      global wrong, done
      while not stop:
          text = open(args[0] + '/proc/meminfo').read(64).split()
          wrong += text[1] != args[1]
          wrong += not open(args[0] + '/proc/stat').read().startswith('cpu ')
          wrong += len(open(args[0] + '/proc/loadavg').read().split()) != 5
          done += 1
  reader = threading.Thread(target=read)
  reader.start()
  step()
  before = done
  step()
  stop = True
  reader.join()
  reply([done - before, wrong])
`;

async function residentBytes(of: RunningDaemon): Promise<number> {
  const status = await readFile(`/proc/${await of.workerPid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function descriptors(of: RunningDaemon): Promise<number> {
  return (await readdir(`/proc/${await of.workerPid()}/fd`)).length;
}

describe('a container with', () => {
  for (const [name, abuse] of Object.entries(abuses)) {
    test(name, async () => {
      const { tree } = daemon();
      await using containers = new HostileContainers();
      const limitKib = 80 * 1024;
      const limits = { memoryBytes: limitKib * 1024 };
      const victim = await containers.start(bystander, [tree, `${limitKib}`], limits);
      await victim.next();
      const before = await residentBytes(daemon());
      const abuser = await containers.start(abuse, [tree], { memoryBytes: 512 * mebibyte });
      await abuser.next();
      abuser.go();
      victim.go();
      await victim.next();
      // As long as the abuse takes to show: a number of requests, not a time.
      for (let round = 0; round < 40; round += 1) {
        expect((await statusOf(daemon())).handles).toBeLessThanOrEqual(20_000);
        expect(await descriptors(daemon())).toBeLessThan(mostDescriptors);
      }
      victim.go();
      const [reads, wrong] = await victim.next<[number, number]>();
      expect(wrong).toBe(0);
      expect(reads).toBeGreaterThan(0);
      expect(abuser.child.exitCode).toBeNull();
      expect((await residentBytes(daemon())) - before).toBeLessThan(mostGrowthBytes);
      await containers[Symbol.asyncDispose]();
      await allClosed(daemon());
      expect(daemon().log.filter(({ level }) => level === 'error')).toEqual([]);
      expect(daemon().otherLines).toEqual([]);
    }, 120_000);
  }
});
