// SPDX-License-Identifier: Apache-2.0
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { expect, test } from 'vitest';
import { FallbackLog } from '../../src/daemon/fallback-log.js';
import type { Fallback } from '../../src/native/binding.js';

function fallback(file: string, cause: string, count: number): Fallback {
  return { file, cause, count, lastError: 'ENODEV: read' };
}

function logging(): { lines: Record<string, unknown>[]; logger: Logger } {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  return { lines, logger: pino({ level: 'info' }, sink) };
}

test('FallbackLog logs a cause once a minute, with what came in between', () => {
  let rows: Fallback[] = [];
  const { lines, logger } = logging();
  using log = new FallbackLog(logger, () => rows);
  log.check(0);
  expect(lines).toEqual([]);

  rows = [fallback('proc/stat', 'cgroup-gone', 1), fallback('proc/meminfo', 'cgroup-gone', 2)];
  log.check(1_000);
  expect(lines).toMatchObject([
    { cause: 'cgroup-gone', count: 3, files: ['proc/stat', 'proc/meminfo'] },
  ]);

  rows = [fallback('proc/stat', 'cgroup-gone', 5), fallback('proc/stat', 'unreadable', 1)];
  log.check(2_000);
  expect(lines.map(({ cause }) => cause)).toEqual(['cgroup-gone', 'unreadable']);

  log.check(61_000);
  expect(lines[2]).toMatchObject({ cause: 'cgroup-gone', count: 2 });
  log.check(200_000);
  expect(lines).toHaveLength(3);
});
