// SPDX-License-Identifier: Apache-2.0
// systemd-nspawn on a machine that systemd need not have started, and a systemd that runs one service.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type CgroupLimits, TestCgroup } from './cgroup.js';
import { copyBusybox } from './container-root.js';
import { run } from './lensfs.js';
import { TempDir } from './temp-dir.js';

/**
 * Runs a command in a container whose settings are a file NAME.nspawn; gives what it printed.
 *
 * @throws {Error} with all it wrote, when it fails
 */
export async function runInNspawn(
  settings: string,
  limits: CgroupLimits,
  command: readonly string[],
): Promise<string> {
  await using dir = await TempDir.create();
  const root = dir.at(`${basename(dir.path)}-machine`);
  copyBusybox(root);
  await makeEtc(root);
  await mkdir(`${root}/usr`);
  await writeFile(`${root}.nspawn`, settings);
  return await nspawn(root, limits, ['--settings=trusted', '--pipe', ...command]);
}

export interface ServiceOptions {
  /** Its command line, as a unit has it; what it prints is given. */
  command: string;
  /** Text of a drop-in. */
  dropIn: string;
  /** Directories of the host that the systemd which runs it sees as well. */
  binds: readonly string[];
}

/**
 * Starts a systemd that runs one service and then ends; gives what the service has printed.
 *
 * @throws {Error} with what systemd has written
 */
export async function runService(
  { command, dropIn, binds }: ServiceOptions,
  limits: CgroupLimits,
): Promise<string> {
  await using dir = await TempDir.create();
  const root = dir.at(`${basename(dir.path)}-machine`);
  const units = dir.at('units');
  await mkdir(dir.at('out'));
  await mkdir(`${units}/probe.service.d`, { recursive: true });
  await writeFile(`${units}/probe.service`, probeUnit(command));
  await writeFile(`${units}/probe.service.d/lensfs.conf`, dropIn);
  await makeEtc(root);
  for (const name of ['usr', 'out']) await mkdir(`${root}/${name}`);
  for (const name of ['bin', 'sbin', 'lib', 'lib64'])
    await symlink(`usr/${name}`, `${root}/${name}`);
  const output = await nspawn(root, limits, [
    ...['--bind-ro=/usr', `--bind=${dir.at('out')}:/out`],
    ...[`--bind-ro=${units}:/run/systemd/system`, ...binds.map((path) => `--bind-ro=${path}`)],
    ...['--boot', 'systemd.unit=probe.service'],
  ]);
  return await readFile(dir.at('out/log'), 'utf8').catch(() => {
    throw new Error(`systemd has run no service: ${output}`);
  });
}

/** Ends the systemd when it is done, also when it fails. */
function probeUnit(command: string): string {
  return `[Unit]
DefaultDependencies=no
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
ExecStart=${command}
StandardOutput=file:/out/log
StandardError=file:/out/log
`;
}

async function makeEtc(root: string): Promise<void> {
  await mkdir(`${root}/etc`, { recursive: true });
  await copyFile('/etc/os-release', `${root}/etc/os-release`);
}

async function nspawn(
  root: string,
  limits: CgroupLimits,
  args: readonly string[],
): Promise<string> {
  await using cgroup = await TestCgroup.create(limits);
  await using _below = { [Symbol.asyncDispose]: () => removeBelow(cgroup) };
  // It is to ask nobody for a cgroup.
  const alone = ['--quiet', '--register=no', '--keep-unit', '--directory', root];
  try {
    const { code, stdout, stderr } = await run(
      ...cgroup.enter('systemd-nspawn', ...alone, ...args),
    );
    if (code !== 0) throw new Error(`systemd-nspawn ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  } finally {
    for (const name of ['locks', 'propagate']) {
      await rm(`/run/systemd/nspawn/${name}/${basename(root)}`, { recursive: true, force: true });
    }
  }
}

/** nspawn and the systemd in it leave cgroups of theirs; in the hierarchy of systemd's own they have made all. */
async function removeBelow({ directories, path }: TestCgroup): Promise<void> {
  const mirror = `/sys/fs/cgroup/systemd${path}`;
  for (const [places, depth] of [
    [directories, '1'],
    [[mirror], '0'],
  ] as const) {
    const there = places.filter((directory) => existsSync(directory));
    if (there.length === 0) continue;
    const which = ['-mindepth', depth, '-depth', '-type', 'd'];
    await run('find', [...there, ...which, '-exec', 'rmdir', '{}', ';']);
  }
}
