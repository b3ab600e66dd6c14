// SPDX-License-Identifier: Apache-2.0
// System calls: those without use are refused, and none that a daemon makes in its life is among them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { denying, syscalls } from '../_support/denying.js';
import { readEvents, send } from '../_support/http.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountRequirements, statusOf } from '../_support/mounted.js';
import { command, testWith } from '../_support/requirements.js';
import { hasRings, switchRingsOn } from '../_support/rings.js';
import { TempDir } from '../_support/temp-dir.js';
import { pinnedDirectoryOf } from '../_support/views.js';
import { waitUntil } from '../_support/wait.js';

const keeperPath = fileURLToPath(new URL('../../build/Release/lensfs-keeper', import.meta.url));
const test = testWith(...mountRequirements);
const testTraced = testWith(...mountRequirements, command('strace'));
const suiteTimeoutMs = 120_000;

let cgroup: TestCgroup;
if (mountRequirements.every((requirement) => requirement.met())) {
  beforeAll(async () => {
    cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  });
  afterAll(async () => await cgroup[Symbol.asyncDispose]());
}

// Some that somebody who has taken a process over would like to have, with their numbers. None does anything with -1
// for each argument.
const sameNumbers = { pidfd_getfd: 438, fsopen: 430, fsmount: 432 };
const numbers: Record<string, Record<string, number>> = {
  x64: {
    ptrace: 101,
    process_vm_readv: 310,
    process_vm_writev: 311,
    mount: 165,
    pivot_root: 155,
    chroot: 161,
    unshare: 272,
    setns: 308,
    bpf: 321,
    perf_event_open: 298,
    userfaultfd: 323,
    add_key: 248,
    keyctl: 250,
    init_module: 175,
    finit_module: 313,
    delete_module: 176,
    kexec_load: 246,
    kexec_file_load: 320,
    reboot: 169,
    swapon: 167,
    clock_settime: 227,
    settimeofday: 164,
    iopl: 172,
    ioperm: 173,
    ...sameNumbers,
  },
  arm64: {
    ptrace: 117,
    process_vm_readv: 270,
    process_vm_writev: 271,
    mount: 40,
    pivot_root: 41,
    chroot: 51,
    unshare: 97,
    setns: 268,
    bpf: 280,
    perf_event_open: 241,
    userfaultfd: 282,
    add_key: 217,
    keyctl: 219,
    init_module: 105,
    finit_module: 273,
    delete_module: 106,
    kexec_load: 104,
    kexec_file_load: 294,
    reboot: 142,
    swapon: 224,
    clock_settime: 112,
    settimeofday: 170,
    ...sameNumbers,
  },
};
const harmful = numbers[process.arch] ?? {};

// Those of its argument that fail with ENOSYS, and 32-bit x86's getpid(2) if that does not work.
const refusedScript = `
import ctypes, json, mmap, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def is_refused(number):
    ctypes.set_errno(0)
    return libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6) == -1 and ctypes.get_errno() == 38
def is_i386_refused():
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3])) # mov $20, %eax; int $0x80; ret
    getpid = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    child = os.fork()
    if child == 0:
        os._exit(getpid() == -38)
    return os.waitpid(child, 0)[1] != 0
refused = [name for name, number in json.loads(sys.argv[1]).items() if is_refused(number)]
if os.uname().machine == 'x86_64' and is_i386_refused():
    refused.append('i386')
print(json.dumps(refused), flush=True)
`;

/** Which are refused to the worker of a keeper that is started with `flags`. */
async function refusedToWorker(...flags: string[]): Promise<string[]> {
  await using dir = await TempDir.create();
  const paths = ['--tree', dir.at('tree'), '--run-dir', dir.at('run')];
  // By way of env(1), as a keeper does not look at PATH.
  const worker = ['/usr/bin/env', 'python3', '-c', refusedScript, JSON.stringify(harmful)];
  const line = ['--fds', '3,4,5,6,7,8', ...paths, ...flags, '--', ...worker];
  const others = new Array<'ignore'>(7).fill('ignore');
  const child = spawn(keeperPath, line, { stdio: ['ignore', 'pipe', ...others] });
  try {
    for await (const reply of createInterface(child.stdout as Readable)) return JSON.parse(reply);
    throw new Error('The worker has not replied');
  } finally {
    child.kill('SIGKILL');
  }
}

describe('a worker', () => {
  test('is refused what would harm others, with ENOSYS', async () => {
    const expected = [...Object.keys(harmful), ...(process.arch === 'x64' ? ['i386'] : [])];
    expect(await refusedToWorker()).toEqual(expected);
  });

  test('is refused nothing that the kernel has, where seccomp is off', async () => {
    const refused = await refusedToWorker('--unfiltered');
    const always = ['ptrace', 'mount', 'pivot_root', 'chroot', 'unshare', 'setns', 'clock_settime'];
    expect(refused.filter((name) => always.includes(name))).toEqual([]);
  });
});

test('a daemon that may not refuse itself anything serves, and says so', async () => {
  await using daemon = await RunningDaemon.start([], { prefix: denying(syscalls.seccomp) });
  expect(await daemon.logged('Cannot refuse system calls without use, ignoring')).toMatchObject({
    level: 'error',
    cause: 'install filter of system calls: Operation not permitted',
  });
  expect(await readFile(join(daemon.tree, 'proc/meminfo'), 'utf8')).toMatch(/^MemTotal: /);
});

/** Those that failed with ENOSYS, in a file of strace's that is whole when its process `pid` has ended. */
async function refusedIn(file: string, pid: number): Promise<string[]> {
  const text = async () => await readFile(file, 'utf8');
  const end = new RegExp(`^${pid} +\\+\\+\\+ `, 'm');
  await waitUntil('strace has written all', async () => end.test(await text()));
  const failed = (await text()).matchAll(/^\d+ +(?:<\.\.\. )?(\w+).* = -1 ENOSYS /gm);
  return [...new Set([...failed].map(([, name = '']) => name))];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Reads all files, by the container and by name. */
async function readAll(daemon: RunningDaemon): Promise<void> {
  const pinned = await pinnedDirectoryOf(daemon, cgroup.path);
  const named = join(daemon.runDir, 'mnt/shared/views', basename(pinned));
  // The host's own files of power/ have values that it does not know.
  const files = ['-type', 'f', '-not', '-path', '*/power/*', '-exec', 'cat', '{}', '+'];
  const all = cgroup.contain('find', daemon.tree, pinned, named, ...files);
  const { code, stderr } = await run(...all);
  expect([code, stderr]).toEqual([0, '']);
}

/** Asks for all there is. */
async function askAll(daemon: RunningDaemon, port: number): Promise<void> {
  const socket = join(daemon.runDir, 'control.sock');
  const explain = `/v1/explain/proc/meminfo?cgroup=${encodeURIComponent(cgroup.path)}`;
  for (const name of ['status', 'views', 'files', 'config', 'metrics', 'openapi.json']) {
    expect((await send(socket, 'GET', `/v1/${name}`)).status, name).toBe(200);
  }
  expect((await send(socket, 'GET', explain)).status).toBe(200);
  const json = { 'content-type': 'application/json' };
  const change = JSON.stringify({ swap: false });
  expect((await send(socket, 'PATCH', '/v1/config', change, json)).status).toBe(200);
  const stop = new AbortController();
  const events = readEvents(socket, stop.signal);
  const next = events.next();
  expect((await send(socket, 'POST', '/v1/reload')).status).toBe(200);
  await next;
  stop.abort();
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
}

// One life for all that may be refused without that anybody notices: libraries do without what a kernel does not have.
testTraced(
  'a daemon is refused nothing from its start to its end',
  async () => {
    await using _switch = hasRings() ? await switchRingsOn() : undefined;
    await using dir = await TempDir.create();
    const [config, trace, port] = [dir.at('config.yaml'), dir.at('trace'), await freePort()];
    await writeFile(
      config,
      `standby: on
metrics: {listen: "127.0.0.1:${port}"}
profiles: [{match: {name: "none-*"}, swap: off}]
`,
    );
    await using orphan = await RunningDaemon.start(['--config', config], { dir });
    orphan.child.kill('SIGKILL');
    await orphan.logged('The keeper is dead, serving on: start lensfs again');
    const prefix = ['strace', '-D', '-f', '-q', '-e', 'status=failed', '-o', trace];
    await using daemon = await RunningDaemon.start(['--config', config], { dir, prefix });
    expect((await statusOf(daemon)).transport.kind).toBe(hasRings() ? 'ring' : 'classic');
    await readAll(daemon);
    await askAll(daemon, port);
    daemon.child.kill('SIGHUP');
    await daemon.logged('Configuration reloaded', 2);
    process.kill((await statusOf(daemon)).workerPid, 'SIGSEGV');
    await daemon.logged('Serving again');
    daemon.child.kill('SIGUSR2');
    await daemon.logged('Serving again', 2);
    await readAll(daemon);
    expect((await daemon.command('stop')).code).toBe(0);
    await daemon.exited;
    expect(await refusedIn(trace, daemon.child.pid ?? 0)).toEqual([]);
  },
  suiteTimeoutMs,
);
