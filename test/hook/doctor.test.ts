// SPDX-License-Identifier: Apache-2.0
// What doctor says of hosts that this machine is not. test/containers/attach.test.ts has this one.
import { spawn } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DoctorOptions, examine } from '../../src/containers/doctor.js';
import { formatFindings } from '../../src/containers/doctor-output.js';
import { examineDaemon, examineTree } from '../../src/containers/examine-daemon.js';
import { examineEngines } from '../../src/containers/examine-engines.js';
import { examineHooks } from '../../src/containers/examine-hooks.js';
import { examineHost } from '../../src/containers/examine-host.js';
import { ExaminedHost, type HostOptions } from '../../src/containers/examined-host.js';
import type { Finding } from '../../src/containers/finding.js';
import { hostFiles } from '../../src/containers/host-files.js';
import { readVersion } from '../../src/version.js';
import { TempDir } from '../_support/temp-dir.js';

const paths = ['proc/loadavg', 'proc/meminfo', 'proc/slabinfo', 'proc/vmstat', 'sys/x'];
const shared = '1 0 8:1 / / rw shared:1 - ext4 /dev/sda rw';

let dir: TempDir;

beforeEach(async () => {
  dir = await TempDir.create();
  await mkdir(dir.at('bin'));
});

afterEach(async () => await dir[Symbol.asyncDispose]());

/** A file of the host. */
async function put(path: string, text = '', mode = 0o644): Promise<void> {
  const full = dir.at('host', path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text, { mode });
}

/** A program that prints a text, whatever it is asked. */
async function program(name: string, text: string): Promise<void> {
  await writeFile(dir.at('bin', name), `#!/bin/sh\necho '${text}'\n`, { mode: 0o755 });
}

function hostOf(options: HostOptions = {}): ExaminedHost {
  const own = { root: dir.at('host'), release: '6.1.0', programs: dir.at('bin') };
  return new ExaminedHost({ ...own, ...options });
}

/** All but the containers, which are this machine's. */
async function look(options: Partial<DoctorOptions> = {}): Promise<Finding[]> {
  const host = hostOf(options.host);
  const { tree = '/nowhere/tree', runDir = '/run/lensfs' } = options;
  const askDaemon = options.askDaemon ?? (async () => ({ version: readVersion(), pid: 7 }));
  return [
    ...(await examineHost(host)),
    await examineDaemon(host, { tree, runDir, askDaemon }),
    await examineTree(host, tree),
    ...(await examineEngines(host, paths)),
    ...(await examineHooks(host, runDir)),
  ];
}

async function find(subject: string, options: Partial<DoctorOptions> = {}): Promise<Finding> {
  const found = (await look(options)).filter((finding) => finding.subject === subject);
  expect(found).toHaveLength(1);
  return found[0] as Finding;
}

/** A host of cgroup v2 as it should be. */
async function putHost(): Promise<void> {
  await put('dev/fuse');
  await put('sys/fs/cgroup/cgroup.controllers', 'cpuset cpu io memory pids\n');
  await put('proc/pressure/cpu');
  await put('proc/self/mountinfo', `${shared}\n`);
  await put('proc/sys/kernel/yama/ptrace_scope', '3\n');
  await put('sys/fs/selinux/enforce', '0');
  await put('sys/module/apparmor/parameters/enabled', 'Y\n');
}

describe('lensfs doctor of a host', () => {
  test('finds nothing wrong with one that is as it should be', async () => {
    await putHost();
    const all = await look();
    const good = ['kernel', 'fuse', 'cgroups', 'controllers', 'pressure', 'propagation', 'yama'];
    for (const subject of [...good, 'SELinux', 'AppArmor', 'daemon']) {
      expect(all).toContainEqual(expect.objectContaining({ subject, level: 'ok' }));
    }
  });

  test('says what is wrong, and the command that mends it', async () => {
    await put('proc/self/mountinfo', `${shared.replace('shared:1 ', '')}\n`);
    await put('proc/cgroups', '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t7\t1\n');
    await put('sys/fs/selinux/enforce', '1');
    const options = { host: { release: '5.10.0-26-amd64' } };
    const all = await look(options);
    expect(all.filter(({ level }) => level !== 'ok').map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['kernel', 'fuse', 'cgroups', 'controllers', 'pressure']),
    );
    const expected: [string, Finding['level'], RegExp, RegExp][] = [
      ['kernel', 'fail', /5\.12 or newer/, /^lensfs mounts docker$/],
      ['fuse', 'fail', /\/dev\/fuse/, /^modprobe fuse$/],
      ['cgroups', 'fail', /none/, /^mount -t cgroup2/],
      ['controllers', 'warn', /without cpuset, memory/, /cgroup_enable=cpuset/],
      ['pressure', 'warn', /no \/proc\/pressure/, /psi=1/],
      ['propagation', 'warn', /not shared/, /^mount --make-rshared \/$/],
      ['SELinux', 'warn', /enforcing/, /^setsebool -P virt_sandbox_use_fusefs on$/],
      ['tree', 'fail', /nothing is mounted on/, /lensfs serve/],
      ['engines', 'warn', /none/, /^lensfs attach/],
      ['hook', 'warn', /installed nowhere/, /^lensfs hook install docker$/],
    ];
    for (const [subject, level, text, fix] of expected) {
      const finding = all.find((each) => each.subject === subject);
      expect(finding).toEqual({
        subject,
        level,
        text: expect.stringMatching(text),
        fix: expect.stringMatching(fix),
      });
    }
  });

  test('knows kernels by number, and cgroup layouts', async () => {
    const level = async (release: string) => (await find('kernel', { host: { release } })).level;
    expect(await level('5.11.22')).toBe('fail');
    expect(await level('5.12.0-rc1')).toBe('ok');
    expect(await level('4.18.0-553.el8')).toBe('fail');
    await put('sys/fs/cgroup/memory/tasks');
    expect((await find('cgroups')).text).toBe('v1');
    await put('sys/fs/cgroup/unified/cgroup.procs');
    expect((await find('cgroups')).text).toMatch(/^hybrid/);
  });

  test('takes SELinux that has been told to let containers read FUSE', async () => {
    await put('sys/fs/selinux/enforce', '1');
    await put('sys/fs/selinux/booleans/virt_sandbox_use_fusefs', '1 1');
    expect((await find('SELinux')).level).toBe('ok');
  });
});

describe('lensfs doctor of the daemon', () => {
  test('fails without one, and warns of another version', async () => {
    const askDaemon = () => Promise.reject(new Error('ENOENT'));
    expect(await find('daemon', { askDaemon })).toMatchObject({
      level: 'fail',
      text: 'nobody answers in /run/lensfs',
    });
    const other = async () => ({ version: '0.0.1', pid: 7 });
    expect(await find('daemon', { askDaemon: other })).toMatchObject({
      level: 'warn',
      fix: 'systemctl restart lensfs',
    });
  });

  test('says when it has no filter of system calls', async () => {
    await put('proc/7/status', 'Name:\tlensfs-keeper\nSeccomp:\t2\n');
    const filtered = await find('daemon');
    await put('proc/7/status', 'Name:\tlensfs-keeper\nSeccomp:\t0\n');
    const text = `${filtered.text}, without a filter of system calls`;
    expect(await find('daemon')).toEqual({ ...filtered, text });
  });

  test('looks at what is on top in the tree', async () => {
    const tree = dir.path;
    const mount = (at: string, type: string, tag: string) => {
      return `9 1 0:9 / ${tree}${at} ro ${tag} - ${type} x ro`;
    };
    const tmpfs = mount('', 'tmpfs', 'shared:9');
    const file = '/proc/meminfo';
    const lookAt = async (...lines: string[]) => {
      await put('proc/self/mountinfo', `${[shared, ...lines].join('\n')}\n`);
      return await find('tree', { tree });
    };
    const host = await lookAt(tmpfs, mount(file, 'proc', 'shared:10'));
    expect(host).toMatchObject({ level: 'fail', text: `${tree} shows the host's own files` });
    const ours = mount(file, 'fuse.lensfs', 'shared:11');
    expect((await lookAt(tmpfs, ours)).text).toMatch(/dead$/);
    await mkdir(`${tree}/proc`);
    await writeFile(`${tree}${file}`, '');
    expect(await lookAt(tmpfs, ours)).toMatchObject({ level: 'ok' });
    expect(await lookAt(mount('', 'tmpfs', ''), ours)).toMatchObject({
      level: 'warn',
      fix: 'lensfs repair --all, after each restart',
    });
  });
});

describe('lensfs doctor of engines', () => {
  test('says which files each version of runc refuses', async () => {
    const refused = async (version: string) => {
      await program('runc', `runc version ${version}\ncommit: x`);
      return await find('runc');
    };
    const today = await refused('1.1.5+ds1');
    expect(today.level).toBe('ok');
    expect(today.text).toMatch(/^1\.1\.5: refuses flags for \/proc\/vmstat;/);
    const old = await refused('1.0.0-rc10');
    expect(old.level).toBe('warn');
    expect(old.text).toContain('/proc/slabinfo, /proc/vmstat;');
    expect((await refused('1.0.0-rc5')).text).toContain('/proc/loadavg, /proc/slabinfo');
    expect((await refused('0.1.1')).text).toContain('/proc/loadavg, /proc/slabinfo');
    expect((await refused('1.0.0')).level).toBe('ok');
  });

  test('says what the version of each can do', async () => {
    const notes: [string, string, string, RegExp][] = [
      ['dockerd', 'docker', 'Docker version 20.10.24+dfsg1, build 5d6db84', /no CDI$/],
      ['dockerd', 'docker', 'Docker version 27.1.0, build x', /features/],
      ['dockerd', 'docker', 'Docker version 28.10.0, build x', /and CDI$/],
      ['podman', 'podman', 'podman version 4.3.1', /^4\.3\.1: hooks\.d, CDI$/],
      ['podman', 'podman', 'podman version 3.4.4', /no CDI$/],
      ['containerd', 'containerd', 'containerd github.com/x 1.6.20~ds1', /no CDI$/],
      ['containerd', 'containerd', 'containerd github.com/x v2.0.1 abc', /version 3\), and CDI$/],
      ['crun', 'crun', 'crun version 1.8.1', /every file/],
      ['lxc-start', 'lxc', '5.0.2', /hook install lxc/],
    ];
    for (const [name, subject, text, expected] of notes) {
      await program(name, text);
      expect(await find(subject)).toMatchObject({
        level: 'ok',
        text: expect.stringMatching(expected),
      });
    }
    await chmod(dir.at('bin/crun'), 0o644);
    expect((await look()).map(({ subject }) => subject)).not.toContain('crun');
  });
});

describe('lensfs doctor of hooks', () => {
  const options = { binDir: '/opt/lensfs', isDefault: true };
  const findHook = async (subject: string) => {
    const all = await examineHooks(hostOf(), '/run/lensfs');
    return all.find((finding) => finding.subject === subject);
  };
  const names = Object.keys(hostFiles) as (keyof typeof hostFiles)[];

  // A device of CDI is always asked for.
  const again = (name: string, flags: string) => {
    return `lensfs hook install ${name}${flags}${name === 'cdi' ? '' : ' --default'}`;
  };

  test('finds each file that "lensfs hook install" writes, and what it names', async () => {
    for (const name of names) {
      const { path, install } = hostFiles[name];
      await put(path, install('', options));
      const subject = `hook for ${name}`;
      expect(await findHook(subject)).toMatchObject({
        level: 'fail',
        fix: again(name, ''),
      });
      for (const built of ['lensfs-hook', 'lensfs-runtime']) {
        await put(`opt/lensfs/${built}`, '', 0o755);
      }
      expect((await findHook(subject))?.level).toBe('ok');
      if (name !== 'containerd') {
        await put(path, install('', { ...options, runDir: '/run/other' }));
        expect(await findHook(subject)).toMatchObject({
          level: 'warn',
          fix: again(name, ' --run-dir /run/lensfs'),
        });
      }
      await rm(dir.at('host'), { recursive: true });
    }
  });

  test('says when Docker has not read its file again', async () => {
    await put(hostFiles.docker.path, hostFiles.docker.install('', options));
    await program('docker', '{"runc":{"path":"runc"}}');
    const hidden = await findHook('docker');
    expect(hidden).toMatchObject({ level: 'fail', fix: 'systemctl reload docker' });
    await program('docker', '{"lensfs":{"path":"/opt"},"runc":{"path":"runc"}}');
    expect(await findHook('docker')).toBeUndefined();
  });

  test('says when an import hides what the file of containerd says', async () => {
    const { path, install } = hostFiles.containerd;
    await put(path, install('', options));
    await program('containerd', 'version = 2');
    expect(await findHook('containerd')).toMatchObject({
      level: 'fail',
      text: expect.stringContaining('an import hides it'),
      fix: 'lensfs hook install containerd',
    });
    await program('containerd', install('', options));
    expect(await findHook('containerd')).toBeUndefined();
    await put(path, 'version = 2\n');
    expect(await findHook('containerd')).toMatchObject({ level: 'ok' });
  });
});

describe('lensfs doctor of containers', () => {
  test('takes it as meant that one has LENSFS=off', async () => {
    const idle = ['--mount-proc', 'sleep', '1000000'];
    const child = spawn('unshare', ['--pid', '--fork', '--kill-child', ...idle], {
      env: { LENSFS: 'off', PATH: process.env['PATH'] },
    });
    try {
      await expect
        .poll(async () => {
          const all = await examine({
            tree: '/nowhere',
            runDir: '/nowhere',
            configProblems: [],
            askDaemon: () => Promise.reject(new Error()),
            paths,
          });
          return all.filter(({ text }) => text.includes('as its LENSFS=off asks for'));
        })
        .toContainEqual(expect.objectContaining({ level: 'ok' }));
    } finally {
      child.kill('SIGKILL');
    }
  });
});

describe('formatFindings()', () => {
  test('has a line for each, its fix below it, and counts', () => {
    const findings: Finding[] = [
      { level: 'ok', subject: 'a', text: 'x' },
      { level: 'fail', subject: 'b', text: 'y', fix: 'z' },
    ];
    expect(formatFindings(findings)).toBe(
      'ok    a: x\nfail  b: y\n        fix: z\n1 ok, 0 warn, 1 fail\n',
    );
  });
});
