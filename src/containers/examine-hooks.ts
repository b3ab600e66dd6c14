// SPDX-License-Identifier: Apache-2.0
// Where the hook is installed, whether it can run, and whether the engine knows of it.
import { constants } from 'node:fs';
import type { ExaminedHost } from './examined-host.js';
import { type Finding, fine } from './finding.js';
import { runtimeName } from './hook-options.js';
import { hostFiles } from './host-files.js';

const defaultRunDir = '/run/lensfs';

export async function examineHooks(host: ExaminedHost, runDir: string): Promise<Finding[]> {
  const found = await Promise.all(
    Object.entries(hostFiles).map(async ([name, { path }]): Promise<Finding[]> => {
      const finding = await examineFile(host, { name, path, runDir });
      return finding === undefined ? [] : [finding];
    }),
  );
  const all = [
    ...found.flat(),
    ...(await examineDockerd(host)),
    ...(await examineContainerd(host)),
  ];
  if (all.length > 0) return all;
  const text = 'installed nowhere: containers get the view by flags or "lensfs attach" only';
  return [{ level: 'warn', subject: 'hook', text, fix: 'lensfs hook install docker' }];
}

interface InstalledHook {
  name: string;
  path: string;
  runDir: string;
}

async function examineFile(
  host: ExaminedHost,
  { name, path, runDir }: InstalledHook,
): Promise<Finding | undefined> {
  const said = (await host.text(path)) ?? '';
  const program = /[^\s"'=]*\/lensfs-(?:hook|runtime)(?=["'\s])/.exec(said)?.[0];
  if (program === undefined) return undefined;
  // containerd's options are in a program of their own.
  const isOfOptions = program.endsWith('/lensfs-runtime') && name === 'containerd';
  const text = isOfOptions ? `${said}${((await host.text(program)) ?? '').slice(0, 4096)}` : said;
  const subject = `hook for ${name}`;
  if (!(await host.can(program, constants.X_OK))) {
    const missing = `${path} names ${program}, which is not there`;
    return {
      level: 'fail',
      subject,
      text: missing,
      fix: `lensfs hook install ${name}${repeat(text)}`,
    };
  }
  const used = /--(?:lensfs-)?run-dir=([^"'\s]*)/.exec(text)?.[1] ?? defaultRunDir;
  if (used === runDir) return fine(subject, `${path} runs ${program}`);
  const other = `${path} uses the daemon of ${used}, not that of ${runDir}`;
  const fix = `lensfs hook install ${name} --run-dir ${runDir}${repeat(text)}`;
  return { level: 'warn', subject, text: other, fix };
}

/** The options that a file was written with, for the same once more. */
function repeat(whole: string): string {
  // The other devices of CDI have files of their own.
  const [text = ''] = whole.split('"name": "cpu"');
  const optionIn = (name: string) =>
    new RegExp(`--(?:lensfs-)?${name}=([^"'\\s]*)`).exec(text)?.[1];
  const always =
    /default.runtime(?:_name)?"? *[:=] *"lensfs"|"always": true|^lxc\.hook(?!.*--files=off)/m;
  const isDefault = always.test(text);
  const flags = ['tree', 'files'].flatMap((name) => {
    const value = optionIn(name);
    return value === undefined || value === 'off' ? [] : [` --${name} ${value}`];
  });
  return `${isDefault ? ' --default' : ''}${flags.join('')}`;
}

/** Docker reads its file only when it is told to. */
async function examineDockerd(host: ExaminedHost): Promise<Finding[]> {
  const config = (await host.text(hostFiles.docker.path)) ?? '';
  if (!config.includes('/lensfs-runtime"')) return [];
  const runtimes = await host.output('docker', 'info', '--format', '{{json .Runtimes}}');
  if (runtimes === undefined || runtimes.includes(`"${runtimeName}"`)) return [];
  const text = `dockerd does not know the runtime "${runtimeName}" of ${hostFiles.docker.path}`;
  return [{ level: 'fail', subject: 'docker', text, fix: hostFiles.docker.reload }];
}

/** What a file says may be hidden by another one that it imports, or be said by that one. */
async function examineContainerd(host: ExaminedHost): Promise<Finding[]> {
  const { path } = hostFiles.containerd;
  const dump = await host.output('containerd', '--config', path, 'config', 'dump');
  if (dump === undefined) return [];
  const program = /"[^"]*\/lensfs-runtime"|'[^']*\/lensfs-runtime'/;
  const isSaid = program.test((await host.text(path)) ?? '');
  const [found] = program.exec(dump) ?? [];
  const subject = 'containerd';
  if (found !== undefined) return isSaid ? [] : [fine(subject, `its configuration has ${found}`)];
  if (!isSaid) return [];
  const text = `"containerd config dump" has nothing of the runtime "${runtimeName}" of ${path}: an import hides it`;
  return [{ level: 'fail', subject, text, fix: 'lensfs hook install containerd' }];
}
