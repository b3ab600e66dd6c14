// SPDX-License-Identifier: Apache-2.0
// What giving a container its view adds to the time that runc takes from its call to the container's end.
import { performance } from 'node:perf_hooks';
import { type BundleOptions, Bundles } from '../../test/_support/bundles.js';
import { hookProgram, runtimeProgram } from '../../test/_support/hook.js';
import type { Driver, FindFile } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import type { StartTask } from '../scenarios.js';
import { spreadOf } from '../statistics.js';

/** How a container is started. */
interface Way {
  options: Partial<BundleOptions>;
  program: readonly string[];
}

/** The container's process does nothing, so that starting it is all that is measured. */
const container: BundleOptions = {
  command: ['/bin/busybox', 'true'],
  memoryBytes: 128 * 2 ** 20,
  cpus: 1,
};

const plain: Way = { options: {}, program: ['runc'] };

/** Pairs of a plain container and one with its view, which goes first in every second one. */
export async function measureStart(
  driver: Driver,
  find: FindFile,
  task: StartTask,
): Promise<Outcome> {
  await using bundles = await Bundles.create();
  const way = wayOf(driver, find, task);
  const plainMsec: number[] = [];
  const startMsec: number[] = [];
  let errors = 0;
  const start = async ({ options, program }: Way, times: number[]) => {
    const bundle = await bundles.make({ ...container, ...options });
    const begin = performance.now();
    const { code } = await bundles.run('runc', bundle, program);
    times.push(performance.now() - begin);
    if (code !== 0) errors += 1;
  };
  for (let pair = 0; pair <= task.pairs; ++pair) {
    const both = [() => start(plain, plainMsec), () => start(way, startMsec)];
    for (const run of pair % 2 === 0 ? both : both.reverse()) await run();
  }
  // The first pair fills caches.
  const extraMsec = startMsec.map((time, pair) => time - (plainMsec[pair] ?? Number.NaN)).slice(1);
  return {
    values: {
      startMsec: medianOf(startMsec.slice(1)),
      plainMsec: medianOf(plainMsec.slice(1)),
      extraMsec: medianOf(extraMsec),
    },
    errors,
  };
}

function wayOf(driver: Driver, find: FindFile, { way, files }: StartTask): Way {
  const places = driver.places;
  const flags = (prefix: string) => [
    `${prefix}tree=${places?.tree}`,
    `${prefix}run-dir=${places?.runDir}`,
  ];
  switch (way) {
    case 'hook': {
      const args = ['lensfs-hook', 'create-runtime', ...flags('--')];
      return withHook({ path: hookProgram, args });
    }
    case 'runtime':
      return { options: {}, program: [runtimeProgram, ...flags('--lensfs-')] };
    case 'empty hook':
      return withHook({ path: '/bin/busybox', args: ['busybox', 'true'] });
    case 'mounts': {
      const mounts = files.map((file) => ({
        destination: `/${file}`,
        type: 'bind',
        source: find(file),
        options: ['bind', 'ro', 'nosuid', 'nodev', 'noexec'],
      }));
      return { ...plain, options: { mounts } };
    }
  }
}

function withHook(hook: { path: string; args: string[] }): Way {
  return { ...plain, options: { hooks: { createRuntime: [hook] } } };
}

function medianOf(values: readonly number[]): number {
  return spreadOf(values)?.median ?? Number.NaN;
}
