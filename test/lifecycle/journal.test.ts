// SPDX-License-Identifier: Apache-2.0
// The lines of keeper and worker where journald reads them: it sorts by the priority that they begin with.
import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { logMessages } from '../../src/logger.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { mountTest as test } from '../_support/mounted.js';
import { TempDir } from '../_support/temp-dir.js';

/** Says of standard error what systemd says of its stream to journald. */
const underJournald = ['sh', '-c', 'JOURNAL_STREAM=$(stat -Lc %d:%i /dev/fd/2) exec "$@"', 'sh'];

async function everyLevel(prefix: readonly string[]): Promise<Set<string>> {
  await using dir = await TempDir.create();
  const config = dir.at('config.yaml');
  await writeFile(config, 'freshness: 1s\n');
  await using daemon = await RunningDaemon.start(['--config', config], { prefix });
  process.kill(await daemon.workerPid(), 'SIGKILL');
  await daemon.logged(logMessages.servingAgain);
  for (const [text, message] of [
    ['views: {max: 100}\n', logMessages.needsRestart],
    ['freshness: forever\n', logMessages.reloadRefused],
  ] as const) {
    await writeFile(config, text);
    await daemon.command('reload');
    await daemon.logged(message);
  }
  expect(daemon.otherLines).toEqual([]);
  return new Set(daemon.log.map(({ level, priority }) => `${level} ${priority}`));
}

test("lines for journald begin with journald's priority of their level", async () => {
  expect(await everyLevel(underJournald)).toEqual(new Set(['info 6', 'warn 4', 'error 3']));
});

test('lines for others are JSON alone', async () => {
  const levels = ['info undefined', 'warn undefined', 'error undefined'];
  expect(await everyLevel([])).toEqual(new Set(levels));
});
