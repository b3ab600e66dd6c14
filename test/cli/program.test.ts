// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { loadCommands } from '../../src/cli/commands.js';
import { lensfs, program, run } from '../_support/lensfs.js';
import { built, testWith } from '../_support/requirements.js';
import { runHere } from '../_support/run-here.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(built(program));
const commands = await loadCommands();

describe('lensfs', () => {
  test('is an executable file that finds its interpreter', () => {
    expect(statSync(program).mode & 0o777).toBe(0o755);
    expect(readFileSync(program, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('works through a link from another directory', async () => {
    await using dir = await TempDir.create();
    await symlink(program, dir.at('lensfs'));
    const { code, stdout } = await run(dir.at('lensfs'), ['--version'], { cwd: dir.path });
    expect([code, stdout]).toEqual([0, '0.1.0\n']);
  });

  test('prints its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await lensfs(['--version'])).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    });
  });

  for (const args of [['--help'], ['-h'], ['help']]) {
    test(`lists every command for ${args}`, async () => {
      const { code, stdout, stderr } = await lensfs(args);
      expect([code, stderr]).toEqual([0, '']);
      for (const { name, operands, summary } of commands) {
        expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '))).toContain(
          `  ${[name, ...operands].join(' ')}  ${summary}`,
        );
      }
      expect(stdout).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
    });
  }

  test(`lists the commands of a group`, async () => {
    const { code, stdout, stderr } = await lensfs(['kubernetes', '--help']);
    expect([code, stderr]).toEqual([0, '']);
    const listed = [...stdout.matchAll(/^ {2}(kubernetes \w+)/gm)].map(([, name]) => name);
    const all = commands.map(({ name }) => name);
    expect(listed).toEqual(all.filter((name) => name.startsWith('kubernetes ')));
  });

  for (const { name, summary, operands, options, examples } of commands) {
    const words = name.split(' ');
    test(`explains ${name}, with every option and with examples`, async () => {
      const { code, stdout, stderr } = await runHere([...words, '--help']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout.startsWith(`${summary}\n\n`)).toBe(true);
      expect(summary).toMatch(/^[A-Z].{15,}[^.]$/);
      expect(stdout).toContain(
        `\nUsage: lensfs ${[name, ...operands].join(' ')} [OPTION ...]\n\nOptions:\n`,
      );
      for (const [option, { short, placeholder, help }] of Object.entries(options)) {
        const value = placeholder === undefined ? '' : ` ${placeholder}`;
        const written = `${short === undefined ? '' : `-${short}, `}--${option}${value}`;
        expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '))).toContain(
          `  ${written}  ${help.replace(/ {2,}/g, '  ')}`,
        );
      }
      expect(stdout).toContain('\nExamples:\n');
      expect(examples.length).toBeGreaterThan(0);
      for (const [line, meaning] of examples) {
        expect(line).toContain(`lensfs ${name}`);
        expect(stdout).toContain(`  ${line}`);
        expect(stdout).toContain(meaning);
      }
      expect(stdout).toMatch(/\nExit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n$/);
      expect(await runHere([...words, '-h'])).toMatchObject({ code: 0, stdout });
    });

    test(`refuses what ${name} does not know`, async () => {
      const { code, stdout, stderr } = await runHere([...words, '--frobnicate']);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toBe(`lensfs: ${name}: Unknown option "--frobnicate"\nTry "lensfs --help"\n`);
    });
  }

  const wrongLines: [args: string[], message: string][] = [
    [[], 'missing command'],
    [['frobnicate'], 'unknown command "frobnicate"'],
    [['--frobnicate'], 'unknown option "--frobnicate"'],
    [['serve', 'extra'], 'serve: unexpected argument "extra"'],
    [['show'], 'show: expected either FILE or --view'],
    [['show', 'proc/stat', 'proc/meminfo'], 'show: unexpected argument "proc/meminfo"'],
    [['show', 'proc/stat', '--pid', 'x'], 'show: --pid: expected a process id, got "x"'],
    [['show', 'proc/stat', '--pid', '0'], 'show: --pid: expected a process id, got "0"'],
    [
      ['show', 'proc/stat', '--pid', '1', '--cgroup', '/a'],
      'show: --pid and --cgroup exclude each other',
    ],
    [
      ['show', 'proc/stat', '--cgroup', 'a'],
      'show: --cgroup: expected a path from the root "/", got "a"',
    ],
    [['serve', '--tree'], 'serve: Option "--tree <value>" argument missing'],
  ];
  for (const [args, message] of wrongLines) {
    test(`exits with 2 for "lensfs ${args.join(' ')}"`, async () => {
      expect(await lensfs(args)).toEqual({
        code: 2,
        signal: null,
        stdout: '',
        stderr: `lensfs: ${message}\nTry "lensfs --help"\n`,
      });
    });
  }

  test('reports every problem of the configuration at once, with where it is', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('config.yaml');
    await writeFile(file, 'cpu:\n  count: many\nswop: on\n');
    const env = { LENSFS_READERS: '99', LENSFS_LOGLEVEL: 'debug' };
    const args = [
      'serve',
      '--config',
      file,
      '--tree',
      'tree',
      '--set',
      'views.max=1',
      '--set',
      'x',
    ];
    const { code, stdout, stderr } = await lensfs(args, env);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(`lensfs: 7 problems in the configuration
  expected key=value, got "x" (--set)
  cpu.count: expected quota or cpuset, got "many" (${file}, line 2)
  swop: unknown key, did you mean "swap" (${file}, line 3)
  readers: expected an integer from 1 to 16, got "99" (LENSFS_READERS)
  loglevel: unknown key, did you mean "log.level" (LENSFS_LOGLEVEL)
  tree: expected an absolute path, got "tree" (--tree)
  views.max: expected an integer from 16 to 65536, got "1" (--set)
`);
  });

  test('needs a file that was named', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('none.yaml');
    const { code, stderr } = await lensfs(['serve', '--config', file]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^lensfs: 1 problem in the configuration\n {2}cannot read the file: ENOENT/,
    );
  });

  for (const command of ['status', 'stop', 'reload']) {
    test(`says in one line that there is no daemon to ${command}`, async () => {
      await using dir = await TempDir.create();
      const { code, stdout, stderr } = await lensfs([command, '--run-dir', dir.path]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toBe(
        `lensfs: No daemon listens on "${dir.at('control.sock')}": start one with "lensfs serve", or name its --run-dir\n`,
      );
    });

    test(`finds for ${command} the daemon through the configuration file`, async () => {
      await using dir = await TempDir.create();
      const file = dir.at('config.yaml');
      await writeFile(file, `run_dir: ${dir.at('other')}\n`);
      const { code, stderr } = await lensfs([command, '--config', file]);
      expect(code).toBe(1);
      expect(stderr).toContain(dir.at('other/control.sock'));
    });

    test(`refuses for ${command} a run directory that cannot be one`, async () => {
      const { code, stderr } = await lensfs([command, '--run-dir', 'relative']);
      expect(code).toBe(2);
      expect(stderr).toContain('run_dir: expected an absolute path');
    });
  }

  test('ends quietly when its reader has seen enough', async () => {
    const shell = `"${program}" --help | head -n 1`;
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) =>
      execFile('bash', ['-c', shell], (_error, stdout, stderr) => resolve({ stdout, stderr })),
    );
    expect([stdout.split('\n').length, stderr]).toEqual([2, '']);
  });

  test('says what to do when the addon has not been built', async () => {
    await using dir = await TempDir.create();
    await mkdir(dir.at('app'));
    for (const name of ['package.json', 'node_modules']) {
      await symlink(`${process.cwd()}/${name}`, dir.at('app', name));
    }
    await run('cp', ['-r', 'dist', dir.at('app/dist')]);
    const { code, stdout, stderr } = await run(dir.at('app/dist/main.js'), ['show', 'proc/stat']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^lensfs: No addon at ".*addon\.node": "npm run build" in a checkout, .+\n$/,
    );
  });
});
