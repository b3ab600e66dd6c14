// SPDX-License-Identifier: Apache-2.0
// The checklist of value bugs that LXCFS has had, what files are to their readers: points 33 to 37
// and 40, on a real mount.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { readInNoContainer } from '../_support/cgroup-tree.js';
import { run } from '../_support/lensfs.js';
import { mountTest as test, useDaemon } from '../_support/mounted.js';
import { parseCpuList, parseProcessors } from '../_support/proc-text.js';
import { python } from '../_support/python.js';

const daemon = useDaemon();

function at(path: string): string {
  return join(daemon().tree, path);
}

describe('a file', () => {
  test('(33) ends with 0 bytes, and can be read from its middle first', async () => {
    const sizes = await python(
      `
      fd = os.open(args[0], os.O_RDONLY)
      middle = os.pread(fd, 100, 50)
      whole = os.pread(fd, 100000, 0)
      reply([len(middle), len(os.pread(fd, 10, len(whole))), len(os.pread(fd, 10, 10**6)),
             whole[50:70] == os.pread(fd, 20, 50)])
      `,
      { args: [at('proc/meminfo')] },
    );
    expect(sizes).toEqual([100, 0, 0, true]);
    const { stdout } = await run('tail', ['-n', '1', at('proc/meminfo')]);
    expect(stdout).toMatch(/^DirectMap\w+: +\d+ kB\n$/);
    const { stdout: skipped } = await run('sh', [
      ...['-c', 'dd if="$1" bs=1 skip=3 count=5 2>/dev/null', 'sh', at('proc/meminfo')],
    ]);
    expect(skipped).toBe('Total');
  });

  test('(34) has all of its bytes for readers that go by its size', async () => {
    for (const path of ['proc/meminfo', 'proc/stat', 'proc/cpuinfo', 'proc/vmstat']) {
      const lines = readFileSync(at(path), 'utf8').split('\n').length - 1;
      const { stdout } = await run('wc', ['-l', '-c', at(path)]);
      const [counted = 0, bytes = 0] = stdout.trim().split(/ +/).map(Number);
      expect(counted, path).toBe(lines);
      expect(Math.abs(bytes - readFileSync(at(path)).length), path).toBeLessThan(64);
      const { stdout: copied } = await run('sh', [
        ...['-c', 'cp "$1" "$2" && wc -l <"$2"', 'sh', at(path), daemon().dir.at('copy')],
      ]);
      expect(Number(copied), path).toBe(lines);
    }
  });

  test('(35) is as secret as the host’s: who may not read that may not read this', async () => {
    const secrets = await run('find', [at('sys'), at('proc'), '-type', 'f', '-perm', '0400']);
    const paths = secrets.stdout.split('\n').filter(Boolean);
    expect(paths).toContain(at('proc/slabinfo'));
    for (const path of paths) {
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
      const { code, stdout } = await run('setpriv', [...nobody, 'cat', path]);
      expect([code, stdout], path).toEqual([1, '']);
    }
    const host = await run('find', ['/sys/devices/system/cpu/', '-type', 'f', '-perm', '0400']);
    expect(paths.length - 1).toBe(host.stdout.split('\n').filter(Boolean).length);
  });

  test('(37) is the host’s in /proc and in /sys alike, or in neither: no signal switches', async () => {
    const files = ['proc/cpuinfo', 'sys/devices/system/cpu/online', 'proc/meminfo'];
    const [cpuinfo = '', online = '', meminfo = ''] = await Promise.all(
      files.map((file) => readInNoContainer(at(file))),
    );
    const host = parseProcessors(readFileSync('/proc/cpuinfo', 'utf8'));
    expect(parseProcessors(cpuinfo)).toEqual(host);
    expect(parseCpuList(online)).toEqual(host);
    const total = /^MemTotal: .*$/m;
    expect(total.exec(meminfo)?.[0]).toBe(total.exec(readFileSync('/proc/meminfo', 'utf8'))?.[0]);
    const cpus = 'sys/devices/system/cpu';
    const paths = ['proc/swaps', `${cpus}/online`, `${cpus}/cpu0/topology/core_id`];
    const before = paths.map((path) => readFileSync(at(path), 'utf8'));
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) {
      daemon().child.kill(signal);
      expect((await daemon().command('status')).code).toBe(0);
      expect(paths.map((path) => readFileSync(at(path), 'utf8'))).toEqual(before);
    }
  });

  test('(40) answers poll at once, without the daemon', async () => {
    const seconds = await python<number>(
      `
      begin = time.monotonic()
      for name in ('cpu', 'memory', 'io'):
          path = os.path.join(args[0], name)
          if os.path.exists(path):
              poller = select.poll()
              poller.register(os.open(path, os.O_RDONLY), select.POLLIN)
              assert poller.poll(5000)
      poller = select.poll()
      poller.register(os.open(args[1], os.O_RDONLY), select.POLLIN | select.POLLPRI)
      assert poller.poll(5000)
      reply(time.monotonic() - begin)
      `,
      { args: [at('proc/pressure'), at('proc/meminfo')] },
    );
    expect(seconds).toBeLessThan(2);
  });
});

describe('a directory', () => {
  test('(36) has "." and ".." once', async () => {
    for (const path of ['', 'proc', 'proc/pressure', 'sys', 'sys/devices/system/cpu']) {
      const { stdout } = await run('ls', ['-a', '-f', at(path)]);
      const names = stdout.split('\n').filter(Boolean);
      expect(names.filter((name) => name === '.' || name === '..').toSorted(), path).toEqual([
        '.',
        '..',
      ]);
      expect(new Set(names).size, path).toBe(names.length);
      expect(readdirSync(at(path)).toSorted()).toEqual(names.toSorted().slice(2));
    }
  });
});
