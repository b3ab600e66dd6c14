// SPDX-License-Identifier: Apache-2.0
// What runs containers here, and what its version is able to do.
import { describeOverProc } from './allow-lists.js';
import type { ExaminedHost } from './examined-host.js';
import { type Finding, fine } from './finding.js';

type Note = string | Pick<Finding, 'level' | 'text' | 'fix'>;

/** Programs that print a version, by the name people know, and what there is to say of it. */
const engines: [
  subject: string,
  program: string,
  note: (version: string, paths: readonly string[]) => Note,
][] = [
  ['runc', 'runc', (...args) => describeOverProc('runc', ...args)],
  ['crun', 'crun', (...args) => describeOverProc('crun', ...args)],
  // The client of that name may be of another version.
  ['docker', 'dockerd', describeDocker],
  [
    'podman',
    'podman',
    (version) => (isAtLeast(version, 4, 1) ? 'hooks.d, CDI' : 'hooks.d, no CDI'),
  ],
  ['containerd', 'containerd', describeContainerd],
  ['crio', 'crio', () => 'hooks.d and CDI'],
  ['lxc', 'lxc-start', () => '"lensfs hook install lxc", or the flags of "lensfs mounts lxc"'],
  ['systemd-nspawn', 'systemd-nspawn', () => 'the file of "lensfs mounts nspawn"'],
];

/** `paths` are all files, such as "proc/meminfo". */
export async function examineEngines(
  host: ExaminedHost,
  paths: readonly string[],
): Promise<Finding[]> {
  const found = await Promise.all(
    engines.map(async ([subject, program, describe]): Promise<Finding[]> => {
      const version = await host.versionOf(program);
      if (version === undefined) return [];
      const note = describe(version, paths);
      if (typeof note === 'string') return [fine(subject, `${version}: ${note}`)];
      return [{ subject, ...note, text: `${version}: ${note.text}` }];
    }),
  );
  const all = found.flat();
  if (all.length > 0) return all;
  const text = 'none of those that are known is here';
  return [{ level: 'warn', subject: 'engines', text, fix: 'lensfs attach --all --follow' }];
}

function describeDocker(version: string): string {
  if (isAtLeast(version, 28, 2)) return '--runtime lensfs, and CDI';
  if (isAtLeast(version, 25)) return '--runtime lensfs; CDI with {"features": {"cdi": true}}';
  return '--runtime lensfs; no CDI';
}

function describeContainerd(version: string): string {
  if (isAtLeast(version, 2)) return 'RuntimeClass (config version 3), and CDI';
  if (isAtLeast(version, 1, 7)) return 'RuntimeClass (config version 2); CDI with enable_cdi';
  return 'RuntimeClass (config version 2); no CDI';
}

function isAtLeast(version: string, major: number, minor = 0): boolean {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first > major || (first === major && second >= minor);
}
