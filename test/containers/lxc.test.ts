// SPDX-License-Identifier: Apache-2.0
// LXC: the hook of "lensfs hook install lxc", and the lines of "lensfs mounts lxc".
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { lxcHook } from '../../src/containers/lxc-hook.js';
import { hookProgram } from '../_support/hook.js';
import { lensfs } from '../_support/lensfs.js';
import { Lxc, type LxcContainer, type LxcOptions } from '../_support/lxc.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { built, command, testWith } from '../_support/requirements.js';
import { allFiles, parseSeen, printSeen, type Seen } from '../_support/seen.js';

const test = testWith(...mountRequirements, built(hookProgram), command('lxc-start'));
const getDaemon = useDaemon();

let lxc: Lxc;

beforeAll(async () => {
  lxc = await Lxc.create();
});

afterAll(async () => await lxc[Symbol.asyncDispose]());

const limits: LxcOptions = { memoryBytes: 128 * 2 ** 20, cpus: 1 };

async function seenIn(container: LxcContainer): Promise<Seen> {
  return parseSeen(await container.output(...printSeen));
}

/** Installs the hook; gives the line that makes a container's configuration have it. */
async function include(name: string, ...options: string[]): Promise<string> {
  const file = lxc.dir.at(name);
  const { tree, runDir } = getDaemon();
  const places = ['--tree', tree, '--run-dir', runDir];
  const args = ['hook', 'install', 'lxc', '--file', file, ...places, ...options];
  const { code, stderr } = await lensfs(args);
  expect([code, stderr]).toEqual([0, expect.stringContaining('Then: ')]);
  return `lxc.include = ${file}`;
}

function expectOwn(seen: Seen): void {
  expect(seen).toMatchObject({ memTotalMib: 128, processors: 1 });
  expect(seen.online).toMatch(/^\d+$/);
  expect(seen.uptimeSec).toBeLessThan(30);
  expect(seen.pressure).toMatch(/^some avg10=/);
}

describe('lensfs hook install lxc', () => {
  for (const userNamespace of [false, true]) {
    test(`gives each container its view ${userNamespace ? 'in a user namespace' : ''}`, async () => {
      const line = await include(`all-${userNamespace}.conf`, '--default');
      await using container = await lxc.start({ ...limits, userNamespace, lines: [line] });
      const seen = await seenIn(container);
      expectOwn(seen);
      expect(seen.mounts).toEqual(allFiles);
      const mountinfo = await readFile(`/proc/${await container.pid()}/mountinfo`, 'utf8');
      expect(mountinfo).toMatch(/ \/=\w+=\d+\/proc\/meminfo \/proc\/meminfo /);
    });
  }

  test('heeds what a container says of itself, also when only those that ask have one', async () => {
    const all = await include('chosen.conf', '--default');
    const asked = await include('asked.conf');
    const mountsWith = async (...lines: string[]) => {
      await using container = await lxc.start({ ...limits, lines });
      return (await seenIn(container)).mounts;
    };
    expect(await mountsWith(all, 'lxc.environment = LENSFS=off')).toEqual([]);
    expect(await mountsWith(all, 'lxc.environment="LENSFS=uptime"')).toEqual(['/proc/uptime']);
    expect(await mountsWith(asked)).toEqual([]);
    expect(await mountsWith(asked, 'lxc.environment = LENSFS=all')).toEqual(allFiles);
  });

  test('starts containers also when no daemon has ever served', async () => {
    const line = `lxc.hook.start-host = ${hookProgram} --run-dir=/nowhere --tree=/nowhere lxc`;
    await using container = await lxc.start({ ...limits, lines: [line] });
    const seen = await seenIn(container);
    expect(seen.mounts).toEqual([]);
    expect(seen.memTotalMib).toBeGreaterThan(128);
  });
});

describe('deploy/lxc/lensfs.conf', () => {
  const file = new URL('../../deploy/lxc/lensfs.conf', import.meta.url);

  test('is what "lensfs hook install lxc --default" writes for /usr/bin', async () => {
    const options = { binDir: '/usr/bin', isDefault: true };
    expect(await readFile(file, 'utf8')).toBe(lxcHook.install('', options));
  });

  test('is read by LXC, also with words that a shell would split', async () => {
    const log = lxc.dir.at("it's a log");
    const text = lxcHook.install('', { binDir: "/x y/it's", tree: '/a b', isDefault: true });
    const command = /start-host = (.*)$/m.exec(text)?.[1] ?? '';
    const script = lxc.dir.at('print.conf');
    const print = `lxc.hook.start-host = printf '%s\\n' ${command} >"${log}"; true`;
    await writeFile(script, `${print}\n`);
    await using _ = await lxc.start({ ...limits, lines: [`lxc.include = ${script}`] });
    const words = (await readFile(log, 'utf8')).split('\n').slice(0, 3);
    expect(words).toEqual(["/x y/it's/lensfs-hook", '--tree=/a b', 'lxc']);
  });
});

describe('lensfs mounts lxc', () => {
  test('prints lines that give a container its view', async () => {
    const { stdout } = await lensfs(['mounts', 'lxc', '--tree', getDaemon().tree]);
    await using container = await lxc.start({ ...limits, lines: stdout.split('\n') });
    const seen = await seenIn(container);
    expectOwn(seen);
    const inCpus = /\/cpu\/(online|possible|present)$/;
    expect(seen.mounts).toEqual(allFiles.filter((path) => !inCpus.test(path)));
  });
});
