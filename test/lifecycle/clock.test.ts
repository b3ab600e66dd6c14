// SPDX-License-Identifier: Apache-2.0
// The wall clock steps, for the daemon alone: the machine's is everybody's, and a time namespace has no clock of its own
// for it.
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients, clientFiles } from '../_support/clients.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { PythonProcess } from '../_support/python.js';
import { command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { viewOf } from '../_support/views.js';

const test = testWith(...mountRequirements, command('gcc'));

// The first 8 bytes of the file CLOCK_STEP are the seconds that the clock is ahead.
const library = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile int64_t* ahead_sec;
__attribute__((constructor)) static void Open(void) {
  const char* path = getenv("CLOCK_STEP");
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void* memory = fd < 0 ? MAP_FAILED : mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  if (memory != MAP_FAILED) ahead_sec = memory;
  if (fd >= 0) close(fd);
}
int clock_gettime(clockid_t id, struct timespec* now) {
  int result = (int)syscall(SYS_clock_gettime, id, now);
  if (ahead_sec && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead_sec;
  return result;
}
int gettimeofday(struct timeval* now, void* zone) {
  struct timespec precise;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
time_t time(time_t* now) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now) *now = precise.tv_sec;
  return precise.tv_sec;
}
`;

const daySec = 86_400;

/** Uptime and what it should be, if the first look was right; in seconds. */
async function look(path: string): Promise<{ uptime: number; at: number }> {
  const at = Number(process.hrtime.bigint()) / 1e9;
  return { at, uptime: Number((await readFile(path, 'utf8')).split(' ')[0]) };
}

test('steps of the wall clock stop no file and move no counter', async () => {
  await using dir = await TempDir.create();
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  await writeFile(dir.at('clock.c'), library);
  const build = ['-shared', '-fPIC', '-o', dir.at('clock.so'), dir.at('clock.c')];
  expect(await run('gcc', build)).toMatchObject({ code: 0, stderr: '' });
  const step = async (sec: number) => {
    const bytes = Buffer.alloc(4096);
    bytes.writeBigInt64LE(BigInt(sec));
    await writeFile(dir.at('step'), bytes, { flag: sec === 0 ? 'w' : 'r+' });
  };
  await step(0);
  const env = { LD_PRELOAD: dir.at('clock.so'), CLOCK_STEP: dir.at('step') };
  await using daemon = await RunningDaemon.start([], { dir, env });
  // Its start is the view's.
  await using container = new PythonProcess('step()', { cgroup });
  await container.next();
  const view = await viewOf(daemon, cgroup.path);
  await using clients = await Clients.start(clientFiles(daemon, view));
  const pinned = `${daemon.runDir}/mnt/pinned/${view}/proc/uptime`;
  const first = await look(pinned);
  let count = 0;
  for (const sec of [daySec, -daySec, 2 * daySec, -3 * daySec, 1]) {
    await step(sec);
    if (sec < 0) {
      process.kill(await daemon.workerPid(), 'SIGKILL');
      count += 1;
      await daemon.logged('Serving again', count);
    }
    const before = await look(pinned);
    await expect.poll(async () => (await look(pinned)).uptime).toBeGreaterThan(before.uptime + 0.5);
    const { at, uptime } = await look(pinned);
    expect(Math.abs(uptime - first.uptime - (at - first.at))).toBeLessThan(5);
  }
  await clients.finish('clock steps');
  // It is the clock that the daemon looked at: its log says so.
  const times = daemon.log.map(({ time }) => Date.parse(String(time)));
  expect(Math.min(...times)).toBeLessThan(Date.now() - daySec * 500);
}, 240_000);
