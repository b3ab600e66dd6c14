// SPDX-License-Identifier: Apache-2.0
// The bytes of every file as every captured container reads them first, at the moment of the
// capture. After a change that is meant: npm run golden:update, and read the difference.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  CapturedHost,
  capturedContainers,
  goldenPath,
  renderAll,
} from '../_support/captured-hosts.js';
import { core } from '../_support/testing-addon.js';
import { listTrees } from '../_support/tree.js';

const parsers: Record<string, (text: string) => unknown> = {
  'proc/meminfo': core.parseMemInfo,
  'proc/stat': core.parseStat,
  'proc/cpuinfo': core.parseCpuInfo,
  'proc/diskstats': core.parseDiskStats,
  'proc/vmstat': core.parseVmStat,
};

test('every captured host is here', async () => {
  expect([...capturedContainers.keys()].sort()).toEqual(await listTrees());
});

for (const [name, containers] of capturedContainers) {
  describe(name, () => {
    let host: CapturedHost;
    beforeAll(async () => {
      host = await CapturedHost.unpack(name);
    });
    afterAll(() => host[Symbol.asyncDispose]());

    for (const container of containers) {
      test(`what ${container.pid} reads`, () => {
        const files = renderAll(host, container);
        for (const [file, text] of files) {
          const path = goldenPath(container, file);
          expect.soft(existsSync(path), `${path} exists`).toBe(true);
          expect.soft(text, file).toBe(existsSync(path) ? readFileSync(path, 'utf8') : '');
        }
        const golden = readdirSync(goldenPath(container), { recursive: true })
          .map(String)
          .filter((path) => statSync(join(goldenPath(container), path)).isFile());
        expect(golden.sort()).toEqual([...files.keys()].sort());
      });

      test(`what ${container.pid} reads can be read by the parsers of the host's files`, () => {
        const engine = host.engine();
        for (const [file, parse] of Object.entries(parsers)) {
          const text = engine.read(file, container.pid);
          expect(() => parse(text)).not.toThrow();
          expect(text).toMatch(/^$|\n$/);
        }
      });
    }
  });
}
