// SPDX-License-Identifier: Apache-2.0
// Where the figures come from: they mean something only together with it.
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { readVersion } from '../src/version.js';
import { run } from '../test/_support/lensfs.js';

export type Machine = Readonly<Record<string, string>>;

export async function describeMachine(): Promise<Machine> {
  const gib = totalmem() / 2 ** 30;
  return {
    date: new Date().toISOString(),
    commit: await firstLine('git', 'describe', '--always', '--dirty', '--abbrev=12'),
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${gib.toFixed(1)} GiB`,
    kernel: release(),
    system: await systemName(),
    'load before': `${loadavg()[0]}`,
    lensfs: readVersion(),
    node: process.version,
    lxcfs: await firstLine('lxcfs', '--version'),
    libfuse3: await firstLine('pkg-config', '--modversion', 'fuse3'),
    top: await firstLine('top', '-v'),
  };
}

async function firstLine(command: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(command, args).catch(() => ({ stdout: '', stderr: '' }));
  return (stdout || stderr).trim().split('\n')[0] || 'unknown';
}

async function systemName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="(.*)"$/m.exec(text)?.[1] ?? 'unknown';
}
