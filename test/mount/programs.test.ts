// SPDX-License-Identifier: Apache-2.0
// The programs that people read such files with, each with its own idea of sizes and offsets.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountTest, removeContainers, rootsOf, useDaemon } from '../_support/mounted.js';
import { command, testWith } from '../_support/requirements.js';
import { unpackTree } from '../_support/tree.js';

// Bytes that stay the same, so that what two programs print can be compared.
const daemon = useDaemon('--set', 'freshness=60s');

const files = ['proc/stat', 'proc/cpuinfo', 'proc/uptime', 'sys/devices/system/cpu/online'];

/** A shell command with the file as "$1", and what it prints. */
type Program = [shell: string, expected: (whole: string) => string];

const programs: Program[] = [
  ['cat "$1"', (whole) => whole],
  ['cat <"$1"', (whole) => whole],
  ['dd if="$1" bs=1 skip=2 count=2 status=none', (whole) => whole.slice(2, 4)],
  ['dd if="$1" bs=4k iflag=direct status=none', (whole) => whole],
  ['head -c 3 "$1"', (whole) => whole.slice(0, 3)],
  ['head -n 1 "$1"', (whole) => lines(whole).slice(0, 1).join('')],
  ['tail -c 3 "$1"', (whole) => whole.slice(-3)],
  ['tail -c +3 "$1"', (whole) => whole.slice(2)],
  ['tail -n 1 "$1"', (whole) => lines(whole).slice(-1).join('')],
  ['tail -n 3 "$1"', (whole) => lines(whole).slice(-3).join('')],
  ['tac "$1"', (whole) => lines(whole).reverse().join('')],
  ['wc -c <"$1"', (whole) => `${whole.length}\n`],
  ['wc -l <"$1"', (whole) => `${lines(whole).length}\n`],
  ['tmp=$(mktemp) && cp "$1" "$tmp" && cat "$tmp" && rm "$tmp"', (whole) => whole],
  ['sed "" "$1"', (whole) => whole],
  ['grep -c "" "$1"', (whole) => `${lines(whole).length}\n`],
];

/** One system call for each byte. */
const slowPrograms: Program[] = [
  ['dd if="$1" bs=1 status=none', (whole) => whole],
  ['while IFS= read -r line; do echo "$line"; done <"$1"', (whole) => whole],
];

const busybox: Program[] = [
  // Begins with sendfile, and takes 0 bytes for the end of the file.
  ['busybox cat "$1"', (whole) => whole],
  ['busybox head -c 3 "$1"', (whole) => whole.slice(0, 3)],
  ['busybox tail -n 1 "$1"', (whole) => lines(whole).slice(-1).join('')],
  ['busybox wc -c <"$1"', (whole) => `${whole.length}\n`],
  ['tmp=$(mktemp) && busybox cp "$1" "$tmp" && cat "$tmp" && rm "$tmp"', (whole) => whole],
];

function lines(text: string): string[] {
  return text.match(/[^\n]*\n/g) ?? [];
}

async function expectAll(list: readonly Program[], path: string): Promise<void> {
  const whole = (await run('cat', [path])).stdout;
  expect(whole).toMatch(/\n$/);
  for (const [shell, expected] of list) {
    const { code, stdout, stderr } = await run('sh', ['-c', shell, 'sh', path]);
    expect([shell, code, stderr, stdout]).toEqual([shell, 0, '', expected(whole)]);
  }
}

for (const file of files) {
  mountTest(`coreutils and the shell read ${file}`, async () => {
    await expectAll([...programs, ...slowPrograms], `${daemon().tree}/${file}`);
  });

  testWith(command('busybox'))(`busybox reads ${file}`, async () => {
    await expectAll(busybox, `${daemon().tree}/${file}`);
  });
}

mountTest('Node.js and Python read whole files', async () => {
  await expectWhole(`${daemon().tree}/proc/meminfo`);
});

async function expectWhole(path: string): Promise<string> {
  const whole = (await run('cat', [path])).stdout;
  expect(await readFile(path, 'utf8')).toBe(whole);
  expect(readFileSync(path, 'utf8')).toBe(whole);
  const copy = daemon().dir.at('copy');
  for (const read of [
    'print(open(sys.argv[1]).read(), end="")',
    'shutil.copyfileobj(open(sys.argv[1]), sys.stdout)',
    'shutil.copyfile(sys.argv[1], sys.argv[2]); print(open(sys.argv[2]).read(), end="")',
  ]) {
    const { stdout } = await run('python3', ['-c', `import shutil, sys; ${read}`, path, copy]);
    expect(stdout).toBe(whole);
  }
  return whole;
}

// Nobody who reads this mount is a process of that host, so everybody is shown the host's text.
mountTest('a text of many pages is whole for those who go by the size', async () => {
  await using tree = await unpackTree('v2-64cpu');
  await removeContainers(tree);
  await using large = await RunningDaemon.start(rootsOf(tree));
  const path = `${large.tree}/proc/cpuinfo`;
  const whole = await expectWhole(path);
  expect(whole).toBe(await tree.read('proc/cpuinfo'));
  expect(whole.length).toBeGreaterThan(50_000);
  await expectAll(programs, path);
});
