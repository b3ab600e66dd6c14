// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/_support/longest-first.js';
import { patience } from './test/_support/patience.js';

/** Tests that mount and start daemons, and may do so side by side. */
const systemTests = [
  'test/{expectations,hostile,lifecycle,mount,package}/**/*.test.ts',
  'test/checklist/mounted.test.ts',
  'test/kubernetes/{agent,image-run,node-program}.test.ts',
  'test/cli/{serve,show,terminal}.test.ts',
  'test/control/{api,clients,events,hostile,precedence}.test.ts',
  'test/docs/commands.test.ts',
  'test/metrics/served.test.ts',
];

/** Those that change what all of the machine has (its swap, its CPUs, modules), or must keep a rate: by themselves. */
const machineTests = [
  'test/expectations/hierarchy.test.ts',
  'test/kubernetes/rotation-live.test.ts',
  'test/lifecycle/rings.test.ts',
];

/** One that boots a virtual machine, and what runs in that only. */
const vmTests = ['test/vm/v2.test.ts'];
const guestTests = ['test/vm/guest/**/*.test.ts'];

/** With a private Docker daemon. */
const containerTests = ['test/containers/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    testTimeout: 30_000 * patience,
    hookTimeout: 60_000 * patience,
    setupFiles: './test/_support/end-with-runner.ts',
    globalSetup: './test/_support/ring-setup.ts',
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/_support/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...systemTests, ...machineTests, ...containerTests, ...vmTests, ...guestTests],
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: systemTests,
          exclude: machineTests,
        },
      },
      {
        extends: true,
        test: {
          name: 'machine',
          include: machineTests,
          poolOptions: { forks: { singleFork: true } },
        },
      },
      {
        extends: true,
        test: {
          name: 'vm',
          include: vmTests,
          poolOptions: { forks: { singleFork: true } },
        },
      },
      {
        extends: true,
        test: {
          name: 'containers',
          include: containerTests,
          globalSetup: 'test/containers/docker-setup.ts',
          poolOptions: { forks: { singleFork: true } },
          testTimeout: 60_000 * patience,
          expect: { poll: { timeout: 10_000 * patience, interval: 20 } },
        },
      },
    ],
  },
});
