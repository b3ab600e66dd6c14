// SPDX-License-Identifier: Apache-2.0
// Containers that are started again under the name that another one has had a moment ago.
//
// LENSFS_RESTARTS=1000 npx vitest run test/containers/restarts      starts one more often
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Bundles, runtimes } from '../_support/bundles.js';
import { docker, dockerEngine, endpoint } from '../_support/docker.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { lensfs } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { patience } from '../_support/patience.js';
import { built, command, testWith } from '../_support/requirements.js';
import { allFiles } from '../_support/seen.js';
import { mebibyte } from '../_support/units.js';
import { waitUntil } from '../_support/wait.js';

const requirements = [...mountRequirements, built(hookProgram), built(runtimeProgram)];
const test = testWith(...requirements, ...runtimes.map(command));
const testDocker = testWith(...requirements, dockerEngine);

const restarts = Number(process.env['LENSFS_RESTARTS'] ?? 25);
const timeoutMs = (60_000 + restarts * 3_000) * patience;
const firstLimitMib = 64;

const getDaemon = useDaemon();
let bundles: Bundles;

beforeAll(async () => {
  bundles = await Bundles.create();
});

afterAll(async () => await bundles[Symbol.asyncDispose]());

/** Prints "bad" and the path of each file that cannot be read, then the container's memory and its files. */
function look(prefix = ''): string {
  const files = allFiles.filter((path) => path !== '/sys/devices/system/cpu');
  const lines = [
    `for file in ${files.join(' ')}; do`,
    `  ${prefix}cat $file >/dev/null || echo "bad $file"`,
    'done',
    `${prefix}head -n 1 /proc/meminfo`,
    `echo "files $(${prefix}grep -c " - fuse.lensfs " /proc/self/mountinfo)"`,
    `echo "uptime $(${prefix}cat /proc/uptime)"`,
  ];
  return lines.join('\n');
}

function parse(text: string) {
  return {
    bad: [...text.matchAll(/^bad (.*)$/gm)].map(([, path]) => path),
    memTotalMib: Number(/^MemTotal: +(\d+) kB$/m.exec(text)?.[1]) / 1024,
    files: Number(/^files (\d+)$/m.exec(text)?.[1]),
  };
}

describe('a container of runc', () => {
  test(
    `has its own values from its first read, ${restarts} times under one name`,
    async () => {
      const { tree, runDir } = getDaemon();
      const dirs = [`--lensfs-tree=${tree}`, `--lensfs-run-dir=${runDir}`];
      const { id } = await bundles.make({ command: [] });
      const wrong: unknown[] = [];
      for (let round = 0; round < restarts; ++round) {
        const memTotalMib = firstLimitMib + (round % 512);
        const options = {
          id,
          command: ['/bin/sh', '-c', look()],
          memoryBytes: memTotalMib * mebibyte,
        };
        const bundle = await bundles.make(options);
        const program = [runtimeProgram, '--lensfs-runtime=runc', ...dirs];
        const log = `${bundle.path}/log`;
        const { code, stdout, stderr } = await bundles.run('runc', bundle, [
          ...program,
          '--log',
          log,
        ]);
        const seen = { code, ...parse(stdout), log: await readFile(log, 'utf8').catch(() => '') };
        const expected = { code: 0, bad: [], memTotalMib, files: allFiles.length, log: '' };
        if (JSON.stringify(seen) !== JSON.stringify(expected))
          wrong.push({ round, ...seen, stderr });
      }
      expect(wrong).toEqual([]);
    },
    timeoutMs,
  );
});

describe('a container of Docker', () => {
  const busybox = '/busybox';
  const base = ['--runtime', 'lensfs', '--network', 'none', '--memory', '128m'];
  const all = { bad: [], memTotalMib: 128, files: allFiles.length };
  const lookNow = async (name: string) => {
    return parse(await docker('exec', name, busybox, 'sh', '-c', look(`${busybox} `)));
  };

  async function install(): Promise<void> {
    const { tree, runDir } = getDaemon();
    const args = ['--file', endpoint().configFile, '--tree', tree, '--run-dir', runDir];
    expect((await lensfs(['hook', 'install', 'docker', ...args])).code).toBe(0);
    process.kill(endpoint().pid, 'SIGHUP');
    await waitUntil('Docker has read its configuration', async () => {
      return /"lensfs"/.test(await docker('info', '--format', '{{json .Runtimes}}'));
    });
  }

  async function remove(): Promise<void> {
    await writeFile(endpoint().configFile, '{}');
    process.kill(endpoint().pid, 'SIGHUP');
  }

  testDocker(
    'that fails at first and is started again by itself has its own files',
    async () => {
      await install();
      const name = `${bundles.cgroupParent.slice(1)}-fails`;
      const script = `[ -e /mark ] || { echo >/mark; exit 1; }; exec ${busybox} sleep 1000000`;
      const flags = ['--detach', '--name', name, '--restart', 'always', ...base];
      await docker('run', ...flags, endpoint().image, busybox, 'sh', '-c', script);
      try {
        await waitUntil('it runs after it has failed', async () => {
          // Docker calls a container that waits for its restart running as well.
          const state = '{{.RestartCount}} {{.State.Running}} {{.State.Restarting}}';
          return (await docker('inspect', '--format', state, name)) === '1 true false';
        });
        expect(await lookNow(name)).toEqual(all);
      } finally {
        await docker('rm', '--force', name);
        await remove();
      }
    },
    timeoutMs,
  );

  testDocker(
    'that is started again right after its start has its own files',
    async () => {
      await install();
      const name = `${bundles.cgroupParent.slice(1)}-again`;
      const flags = ['--detach', '--name', name, ...base];
      await docker('run', ...flags, endpoint().image, busybox, 'sleep', '1000000');
      try {
        for (let round = 0; round < 3; ++round) {
          await docker('restart', '--time', '0', name);
          expect(await lookNow(name)).toEqual(all);
        }
      } finally {
        await docker('rm', '--force', name);
        await remove();
      }
    },
    timeoutMs,
  );
});
