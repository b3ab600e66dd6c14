// SPDX-License-Identifier: Apache-2.0
// The sizes of files in the page cache hold for every captured container.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CapturedHost, capturedContainers } from '../_support/captured-hosts.js';

const pageBytes = 4096;
const pages = [
  'proc/loadavg',
  'proc/meminfo',
  'proc/pressure/cpu',
  'proc/pressure/io',
  'proc/pressure/memory',
  'proc/stat',
  'proc/swaps',
  'proc/uptime',
  'sys/devices/system/cpu/online',
  'sys/devices/system/cpu/possible',
  'sys/devices/system/cpu/present',
];
/** Where stat has too many lines for a page. */
const manyCpus = ['v2-64cpu', 'v2-256cpu-synthetic'];

for (const [name, containers] of capturedContainers) {
  describe(name, () => {
    let host: CapturedHost;
    beforeAll(async () => {
      host = await CapturedHost.unpack(name);
    });
    afterAll(() => host[Symbol.asyncDispose]());

    test('has the files in the page cache that fit in a page', () => {
      const engine = host.engine();
      const there = engine.files().filter((path) => engine.pageSize(path) > 0);
      const missing = manyCpus.includes(name) ? ['proc/stat'] : [];
      expect(there).toEqual(
        pages.filter((path) => engine.files().includes(path) && !missing.includes(path)),
      );
      for (const path of there) expect(engine.pageSize(path)).toBeLessThanOrEqual(pageBytes);
    });

    test('every text has room to grow', () => {
      const engine = host.engine();
      for (const path of pages.filter((page) => engine.pageSize(page) > 0)) {
        for (const { pid } of containers) {
          expect([path, pid, engine.read(path, pid).length < engine.pageSize(path)]).toEqual([
            path,
            pid,
            true,
          ]);
        }
      }
    });
  });
}
