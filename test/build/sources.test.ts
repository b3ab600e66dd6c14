// SPDX-License-Identifier: Apache-2.0
// The users' build (binding.gyp) and the developers' (CMakeLists.txt) compile the same files into the same
// targets. Both are asked, nothing is read out of the two files.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect } from 'vitest';
import { command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const requirements = [command('cmake'), command('python3'), command('pkg-config')];
const test = testWith(...requirements);

/** Target to the files it compiles. */
type Build = Record<string, string[]>;

interface CompileCommand {
  file: string;
  command: string;
}

/** `target` finds the target's name in a compiler's command line. */
function sortedBuild(root: string, commands: CompileCommand[], target: RegExp): Build {
  const build: Build = {};
  for (const { file, command } of commands) {
    const name = target.exec(command)?.[1] ?? 'unknown';
    build[name] = [...(build[name] ?? []), relative(root, file)].sort();
  }
  return build;
}

/** What node-gyp would compile; it configures a mirror, so that build/ stays as it is. */
async function gypBuild(mirror: string): Promise<Build> {
  await mkdir(mirror);
  for (const name of ['binding.gyp', 'package.json', 'native', 'node_modules', 'scripts']) {
    await symlink(join(repository, name), join(mirror, name));
  }
  const nodeGyp = join(repository, 'node_modules/node-gyp/bin/node-gyp.js');
  const { stdout: nodeDir } = await run(join(repository, 'scripts/node-dir'));
  const options = nodeDir === '' ? [] : [`--nodedir=${nodeDir.trim()}`];
  const generate = ['--', '-f', 'compile_commands_json'];
  await run(process.execPath, [nodeGyp, 'configure', ...options, ...generate], { cwd: mirror });
  const commands = readCommands(join(mirror, 'build/Release/compile_commands.json'));
  return sortedBuild(mirror, commands, /NODE_GYP_MODULE_NAME=(\w+)/);
}

async function cmakeBuild(directory: string): Promise<Build> {
  await run('cmake', ['-S', repository, '-B', directory]);
  const commands = readCommands(join(directory, 'compile_commands.json'));
  return sortedBuild(repository, commands, /CMakeFiles\/(\w+)\.dir/);
}

function readCommands(path: string): CompileCommand[] {
  return JSON.parse(readFileSync(path, 'utf8')) as CompileCommand[];
}

describe('binding.gyp and CMakeLists.txt', () => {
  let gyp: Build = {};
  let cmake: Build = {};

  beforeAll(async () => {
    if (!requirements.every((requirement) => requirement.met())) return;
    await using dir = await TempDir.create();
    gyp = await gypBuild(dir.at('gyp'));
    cmake = await cmakeBuild(dir.at('cmake'));
  });

  test('have the same targets', () => {
    expect(Object.keys(cmake).sort()).toEqual(Object.keys(gyp).sort());
    expect(Object.keys(gyp)).toContain('core');
  });

  test('compile the same files into each target', () => {
    expect(cmake).toEqual(gyp);
  });

  test('forget no file', () => {
    const compiled = new Set(Object.values(gyp).flat());
    const present = readdirSync(join(repository, 'native'), { recursive: true })
      .map((path) => join('native', String(path)))
      .filter((path) => path.endsWith('.cc'));
    expect(present.filter((path) => !compiled.has(path))).toEqual([]);
  });
});
