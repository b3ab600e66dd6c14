// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

/** Tests that mount, start daemons or containers: one file at a time, after all the others. */
const systemTests = [
  'test/{mount,lifecycle,vm}/**/*.test.ts',
  'test/checklist/mounted.test.ts',
  'test/cli/{serve,show}.test.ts',
];

/** The same, with a private Docker daemon. */
const containerTests = ['test/containers/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    setupFiles: './test/_support/end-with-runner.ts',
    reporters: ['default', './test/_support/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...systemTests, ...containerTests],
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: systemTests,
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
          testTimeout: 60_000,
          expect: { poll: { timeout: 10_000, interval: 20 } },
        },
      },
    ],
  },
});
