// SPDX-License-Identifier: Apache-2.0
// The container tests on a real machine with cgroup v2: Debian's cloud kernel under qemu, with its swap
// file, its disks and its four processors (guest.ts). Each test here is a file of tests there.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { program } from '../_support/lensfs.js';
import { built, command, root, testWith } from '../_support/requirements.js';
import { type GuestResult, runInGuest } from './guest.js';

// By itself it takes about ten minutes.
const timeoutMs = 900_000;

const files = [
  'test/vm/guest/v2.test.ts',
  'test/expectations/hierarchy.test.ts',
  'test/expectations/proc.test.ts',
  'test/containers/memory.test.ts',
  'test/containers/cpus.test.ts',
  'test/containers/cpu-time.test.ts',
  'test/containers/identity.test.ts',
  'test/hostile/values.test.ts',
  'test/mount/triggers.test.ts',
];

const requirements = [
  root,
  built(program),
  built('build/Release/addon.node'),
  ...['qemu-system-x86_64', 'mke2fs', 'runc', 'python3', 'apt-get'].map(command),
];
const test = testWith(...requirements);

describe('on cgroup v2', () => {
  let guest: Promise<GuestResult[]> | undefined;

  if (requirements.every((requirement) => requirement.met())) {
    beforeAll(async () => {
      guest = runInGuest(files, timeoutMs);
      await guest;
    }, timeoutMs + 60_000);
  }
  afterAll(async () => {
    const results = (await guest?.catch(() => undefined)) ?? [];
    for (const { file, name, ms } of results) process.stdout.write(`${file} ${name}: ${ms} ms\n`);
  });

  for (const file of files) {
    test(`${file} passes, and nothing of it is skipped`, async () => {
      const ofFile = ((await guest) ?? []).filter((result) => result.file === file);
      expect(ofFile.filter(({ state }) => state !== 'pass')).toEqual([]);
      expect(ofFile.length).toBeGreaterThan(2);
    });
  }
});
