// SPDX-License-Identifier: Apache-2.0
// Names that make a terminal, a log or a shell do things: what a container can call itself goes through every command.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rmdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { controlSocketName } from '../../src/config/paths.js';
import { ask } from '../../src/control/client.js';
import { printableLines } from '../../src/printable.js';
import { TestCgroup } from '../_support/cgroup.js';
import { fromBash } from '../_support/completion.js';
import { runHook } from '../_support/hook.js';
import { lensfs } from '../_support/lensfs.js';
import { mountRequirements, mountTest as test, useDaemon } from '../_support/mounted.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

/** What a shell runs that expands it, a title, a screen that is cleared, C1, ends of lines, a text turned round; no newline, which cgroups refuse. */
const hostile = 'x$(id>&2)\u001b]0;HI\u0007\u001b[2J\u009b31m\u2028\u202eevil\u2066\r';

const getDaemon = useDaemon();
const isHere = mountRequirements.every((requirement) => requirement.met());
let parent: TestCgroup;
let container: ReturnType<typeof spawn>;
let pid = 0;
const nested = (name: string) => parent.directories.map((directory) => join(directory, name));

beforeAll(async () => {
  if (!isHere) return;
  parent = await TestCgroup.create();
  const { tree } = getDaemon();
  const files = nested(hostile);
  for (const directory of files) await mkdir(directory);
  const move = files.map(
    (directory) => `open(${JSON.stringify(directory)}+'/cgroup.procs','w').write('0')`,
  );
  // A process that has moved, and whose child is the first of a pid namespace with mounts of its own.
  const program = `
import ctypes, os, time
${move.filter((_, index) => !files[index]?.includes('/cpuset/')).join('\n')}
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x20020000) == 0
if os.fork() == 0:
    libc.prctl(1, 9)
    libc.prctl(15, ${JSON.stringify('\u001b]0;HI\u0007\u001b[2J')}.encode(), 0, 0, 0)
    open(${JSON.stringify(`${tree}/proc/meminfo`)}).read()
    os.write(1, b'ready')
    time.sleep(1000)
time.sleep(1000)
`;
  container = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (container.stdout !== null) await once(container.stdout, 'data');
  const socket = join(getDaemon().runDir, controlSocketName);
  await waitUntil('the view is there', async () => {
    const { views } = await ask(socket, 'views');
    pid = views.find(({ cgroup }) => cgroup.endsWith(hostile))?.initPid ?? 0;
    return pid > 0;
  });
});

afterAll(async () => {
  if (!isHere) return;
  container?.kill('SIGKILL');
  for (const directory of nested(hostile)) {
    await waitUntil('it is gone', () =>
      rmdir(directory).then(
        () => true,
        () => false,
      ),
    );
  }
  await parent?.[Symbol.asyncDispose]();
});

/** Fails when a character of a text does anything but to end a line. */
function expectQuiet(text: string): void {
  expect(text).not.toBe('');
  expect(JSON.stringify(text)).toBe(JSON.stringify(printableLines(text)));
}

describe('A hostile name', () => {
  const commands: Record<string, () => string[]> = {
    views: () => ['views'],
    top: () => ['top', '--count', '1', '--interval', '0.1'],
    explain: () => ['explain', 'proc/meminfo', '--pid', String(pid)],
    'explain of a path': () => ['explain', 'proc/meminfo', '--cgroup', `${parent.path}/${hostile}`],
    'explain of none': () => ['explain', 'proc/meminfo', '--cgroup', `/no${hostile}`],
    show: () => ['show', 'proc/meminfo', '--cgroup', `/no${hostile}`],
    status: () => ['status'],
    metrics: () => ['metrics'],
    doctor: () => ['doctor', '--tree', getDaemon().tree],
    attach: () => ['attach', String(pid), '--tree', getDaemon().tree],
    'attach of none': () => ['attach', `no${hostile}`, '--tree', getDaemon().tree],
    repair: () => ['repair', String(pid), '--tree', getDaemon().tree],
    detach: () => ['detach', String(pid), '--tree', getDaemon().tree],
    'an option': () => ['explain', `--${hostile}`],
    'a configuration': () => ['serve', '--set', `${hostile}=1`],
    'a values file': () => ['kubernetes', 'manifests', '--set', `${hostile}=1`],
  };
  for (const [title, args] of Object.entries(commands)) {
    test(`does nothing in the output of ${title}`, async () => {
      const all = [...args(), '--run-dir', getDaemon().runDir];
      const { stdout, stderr } = await lensfs(title === 'a values file' ? args() : all);
      expectQuiet(stdout + stderr);
      if (['views', 'top', 'explain', 'doctor'].includes(title)) expect(stdout).toContain('\\x1b');
    });
  }

  for (const title of ['views', 'top', 'explain', 'doctor', 'status']) {
    test(`does nothing in the JSON of ${title}, which has it`, async () => {
      const args = commands[title]?.() ?? [];
      const { stdout } = await lensfs([...args, '--json', '--run-dir', getDaemon().runDir]);
      expectQuiet(stdout);
      const parsed = JSON.stringify(JSON.parse(stdout));
      if (title !== 'status') expect(parsed).toContain(JSON.stringify(hostile).slice(1, -1));
    });
  }

  test('does nothing in what the control socket answers, and in events', async () => {
    const socketPath = join(getDaemon().runDir, controlSocketName);
    const outgoing = request({ socketPath, path: '/v1/views' }).end();
    const [incoming] = await once(outgoing, 'response');
    let text = '';
    for await (const piece of incoming) text += piece;
    expectQuiet(text);
    expect(JSON.stringify(JSON.parse(text))).toContain('\\u009b31m'.replace('\\u009b', '\u009b'));
  });

  test('runs nothing where names are completed', async () => {
    await using dir = await TempDir.create();
    const [offered] = await fromBash([['lensfs', 'attach', '']], dir, getDaemon().runDir);
    for (const word of offered ?? []) expect(word).toMatch(/^[\w./:@=-]*$/);
  });

  test('does nothing in the log of the hook, and makes no second line', async () => {
    const state = { ociVersion: '1.0.2', id: hostile, status: 'creating', pid: 999_999 };
    await using dir = await TempDir.create();
    const { writeFile } = await import('node:fs/promises');
    const annotations = { 'lensfs.io/files': '\u001b]0;pwn\u0007\nforged line\u202e\u009b' };
    await writeFile(dir.at('config.json'), JSON.stringify({ ociVersion: '1.0.2', annotations }));
    const args = ['create-runtime', '--tree=/x', '--run-dir=/y'];
    const { stderr } = await runHook(args, JSON.stringify({ ...state, bundle: dir.path }));
    expectQuiet(stderr);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('lensfs-hook: ')),
    ).toEqual([]);
  });
});
