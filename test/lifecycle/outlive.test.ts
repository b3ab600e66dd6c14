// SPDX-License-Identifier: Apache-2.0
// A daemon goes on when its first process, a container's, has ended, and others take its place.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients } from '../_support/clients.js';
import { program, RunningDaemon, run } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { mountsIn } from '../_support/mounts.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

function outlive(cgroup: TestCgroup, seconds: number): string[] {
  return ['--outlive', `${seconds}`, '--outlive-cgroup', cgroup.path];
}

async function end(daemon: RunningDaemon, signal: NodeJS.Signals): Promise<void> {
  daemon.child.kill(signal);
  await daemon.exited;
}

const isGone = (...pids: number[]) => pids.every((pid) => !existsSync(`/proc/${pid}`));

describe('lensfs serve --outlive', () => {
  test('hands over to the next one under load, with and without its first process', async () => {
    await using cgroup = await TestCgroup.create();
    await using dir = await TempDir.create();
    const flags = outlive(cgroup, 60);
    await using first = await RunningDaemon.start(flags, { dir });
    await using clients = await Clients.start([`${first.tree}/proc/meminfo`]);
    const daemons = [first];
    try {
      for (const signal of ['SIGTERM', undefined, 'SIGKILL', undefined] as const) {
        const current = daemons.at(-1) ?? first;
        const { pid, workerPid } = await statusOf(current);
        if (signal !== undefined) await end(current, signal);
        const next = await RunningDaemon.start(flags, { dir });
        daemons.push(next);
        await next.logged('Taking over from a keeper that runs');
        await waitUntil('the earlier processes have gone', () => isGone(pid, workerPid));
        // A first process that is still there stays, and has nothing.
        if (signal === undefined) expect(current.child.exitCode).toBe(null);
      }
      await clients.finish('four hand-overs');
      const last = daemons.at(-1) ?? first;
      expect(await statusOf(last)).toMatchObject({ layers: 2, orphaned: false });
      expect((await last.command('stop')).code).toBe(0);
      expect(await last.exited).toMatchObject({ code: 0 });
      expect(await mountsIn(dir.path)).toEqual([]);
    } finally {
      for (const daemon of daemons) daemon.child.kill('SIGTERM');
      for (const daemon of daemons) await daemon.exited;
    }
  });

  test('leaves nothing behind when nobody comes', async () => {
    await using cgroup = await TestCgroup.create();
    await using daemon = await RunningDaemon.start(outlive(cgroup, 1));
    const { pid, workerPid } = await statusOf(daemon);
    await end(daemon, 'SIGKILL');
    await waitUntil('all have ended', () => isGone(pid, workerPid));
    expect(await mountsIn(daemon.dir.path)).toEqual([]);
    expect(existsSync(`${daemon.runDir}/keeper.sock`)).toBe(false);
  });

  test('runs in the other cgroup, with the first process where it was', async () => {
    await using cgroup = await TestCgroup.create();
    await using daemon = await RunningDaemon.start(outlive(cgroup, 60));
    const { pid, workerPid } = await statusOf(daemon);
    const cgroupsOf = async (of: number | undefined) =>
      await readFile(`/proc/${of}/cgroup`, 'utf8');
    for (const each of [pid, workerPid]) expect(await cgroupsOf(each)).toContain(cgroup.path);
    expect(await cgroupsOf(daemon.child.pid)).toBe(await cgroupsOf(process.pid));
  });

  test('passes signals on to the keeper', async () => {
    await using cgroup = await TestCgroup.create();
    await using daemon = await RunningDaemon.start(outlive(cgroup, 60));
    daemon.child.kill('SIGHUP');
    await daemon.logged('Configuration reloaded');
    const { workerPid } = await statusOf(daemon);
    daemon.child.kill('SIGUSR2');
    await daemon.logged('Serving again');
    expect((await statusOf(daemon)).workerPid).not.toBe(workerPid);
  });

  test('ends with its keeper, whose worker serves on until the next one comes', async () => {
    await using cgroup = await TestCgroup.create();
    await using dir = await TempDir.create();
    await using killed = await RunningDaemon.start(outlive(cgroup, 60), { dir });
    const { pid, workerPid } = await statusOf(killed);
    process.kill(pid, 'SIGKILL');
    expect(await killed.exited).toMatchObject({ code: 128 + 9 });
    await using next = await RunningDaemon.start(outlive(cgroup, 60), { dir });
    await next.logged('Taking over from a keeper that is dead');
    await waitUntil('the worker has gone', () => isGone(workerPid));
    expect((await next.command('stop')).code).toBe(0);
    expect(await mountsIn(dir.path)).toEqual([]);
  });

  test('does not take over from one without it, nor is such a one let in', async () => {
    await using cgroup = await TestCgroup.create();
    await using dir = await TempDir.create();
    await using daemon = await RunningDaemon.start(outlive(cgroup, 60), { dir });
    const { pid } = await statusOf(daemon);
    const paths = ['--tree', daemon.tree, '--run-dir', daemon.runDir];
    const { code, stderr } = await run(program, ['serve', ...paths]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('A running lensfs uses')]);
    expect((await statusOf(daemon)).pid).toBe(pid);
  });

  async function refused(args: readonly string[], prefix: readonly string[] = []) {
    await using dir = await TempDir.create();
    const paths = ['--tree', dir.at('tree'), '--run-dir', dir.at('run')];
    const [command = program, ...rest] = [...prefix, program];
    const { code, stderr } = await run(command, [...rest, 'serve', ...paths, ...args]);
    expect(await mountsIn(dir.path)).toEqual([]);
    return [code, stderr.trimEnd().split('\n')[0]];
  }

  test('says what is wrong with its values', async () => {
    for (const text of ['', '-1', '1.5', '86401', 'ten']) {
      const expected = `--outlive: expected seconds from 0 to 86400, got "${text}"`;
      expect(await refused([`--outlive=${text}`])).toEqual([2, `lensfs: ${expected}`]);
    }
    const path = '--outlive-cgroup: expected a path such as "/lensfs", got "../x"';
    expect(await refused(['--outlive', '1', '--outlive-cgroup', '../x'])).toEqual([
      2,
      `lensfs: ${path}`,
    ]);
  });

  test('says that nothing outlives the first process of a namespace', async () => {
    const prefix = ['unshare', '--pid', '--fork', '--mount-proc'];
    expect(await refused(['--outlive', '1'], prefix)).toEqual([
      1,
      expect.stringContaining('Nothing outlives a process 1: give the container the process ids'),
    ]);
  });

  test('says that it may not make a cgroup', async () => {
    const lock =
      'mount --rbind -o ro /sys/fs/cgroup /sys/fs/cgroup && for p in $(awk \'$5 ~ "^/sys/fs/cgroup" {print $5}\' /proc/self/mountinfo); do mount -o remount,bind,ro "$p"; done; exec "$@"';
    const prefix = ['unshare', '--mount', 'sh', '-c', lock, 'sh'];
    const [code, line] = await refused(
      ['--outlive', '1', '--outlive-cgroup', '/lensfs-none'],
      prefix,
    );
    expect(code).toBe(1);
    expect(line).toMatch(
      /^lensfs: Cannot make the cgroup ".*\/lensfs-none": .*writable, or leave out --outlive/,
    );
  });
});
