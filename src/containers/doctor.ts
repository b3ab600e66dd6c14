// SPDX-License-Identifier: Apache-2.0
// Looks at a host for what lensfs needs and what containers have of it. Reads only, and runs programs for their version.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { hostFiles } from './host-files.js';
import { parseMounts } from './mount-table.js';
import { listContainers, readViewState } from './running.js';

const run = promisify(execFile);
const versionLimitMs = 5_000;

/** One line of the report. */
export interface Finding {
  level: 'ok' | 'warn' | 'fail';
  /** What was looked at, such as "kernel". */
  subject: string;
  text: string;
  /** A command that mends it. */
  fix?: string;
}

export interface DoctorOptions {
  tree: string;
  runDir: string;
  /** The daemon's version, or why there is none. */
  askDaemon: () => Promise<string>;
  /** Such as "proc/meminfo". */
  paths: readonly string[];
  /** For other places of the host's files: what is looked at instead of /etc. */
  pathOf?: (path: string) => string;
}

/** The oldest kernel with mount_setattr(2), which everything that mounts into containers needs. */
const oldestKernel = [5, 12] as const;

export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const parts = [
    examineKernel(),
    examineFuse(),
    examineCgroups(),
    examineYama(),
    examineSecurityModules(),
    examineDaemon(options),
    examineTree(options.tree),
    examineRuntimes(),
    examineHooks(options.pathOf ?? ((path) => path)),
    examineContainers(options.paths),
  ];
  return (await Promise.all(parts)).flat();
}

async function examineKernel(): Promise<Finding[]> {
  const version = release();
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]);
  const text = `Linux ${version}`;
  if (!isOld) return [{ level: 'ok', subject: 'kernel', text }];
  const expected = `${text}: expected ${oldestKernel.join('.')} or newer for hook, attach and repair`;
  return [
    {
      level: 'fail',
      subject: 'kernel',
      text: expected,
      fix: 'use the flags of "lensfs mounts docker"',
    },
  ];
}

async function examineFuse(): Promise<Finding[]> {
  const subject = 'fuse';
  if (await can('/dev/fuse', constants.R_OK | constants.W_OK)) {
    return [{ level: 'ok', subject, text: '/dev/fuse can be opened' }];
  }
  return [{ level: 'fail', subject, text: '/dev/fuse cannot be opened', fix: 'modprobe fuse' }];
}

async function examineCgroups(): Promise<Finding[]> {
  const subject = 'cgroups';
  const isUnified = await can('/sys/fs/cgroup/cgroup.controllers');
  const isHybrid = await can('/sys/fs/cgroup/unified/cgroup.procs');
  if (isUnified) return [{ level: 'ok', subject, text: 'v2' }];
  if (!(await can('/sys/fs/cgroup/memory'))) {
    return [
      {
        level: 'fail',
        subject,
        text: 'none in /sys/fs/cgroup',
        fix: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
      },
    ];
  }
  const text = isHybrid ? 'hybrid (v1 with a v2 hierarchy beside it); crun takes no hybrid' : 'v1';
  return [{ level: 'ok', subject, text }];
}

async function examineYama(): Promise<Finding[]> {
  const scope = Number((await textOf('/proc/sys/kernel/yama/ptrace_scope')) ?? 0);
  const subject = 'yama';
  if (scope < 3) return [{ level: 'ok', subject, text: `ptrace_scope ${scope}` }];
  const text = 'ptrace_scope 3: attach and repair cannot look into containers';
  return [
    {
      level: 'warn',
      subject,
      text,
      fix: 'sysctl kernel.yama.ptrace_scope=1, after a restart of the host',
    },
  ];
}

async function examineSecurityModules(): Promise<Finding[]> {
  const modules = ((await textOf('/sys/kernel/security/lsm')) ?? '')
    .trim()
    .split(',')
    .filter(Boolean);
  const enforces = (await textOf('/sys/fs/selinux/enforce'))?.trim() === '1';
  const subject = 'security modules';
  if (!enforces) {
    return [
      { level: 'ok', subject, text: modules.length === 0 ? 'not known' : modules.join(', ') },
    ];
  }
  const text = 'SELinux enforces: containers may read FUSE files only when it is allowed';
  return [{ level: 'warn', subject, text, fix: 'setsebool -P virt_sandbox_use_fusefs on' }];
}

async function examineDaemon({ askDaemon, runDir }: DoctorOptions): Promise<Finding[]> {
  const subject = 'daemon';
  try {
    return [{ level: 'ok', subject, text: await askDaemon() }];
  } catch {
    const text = `nobody answers in ${runDir}`;
    return [{ level: 'fail', subject, text, fix: 'systemctl start lensfs, or lensfs serve' }];
  }
}

async function examineTree(tree: string): Promise<Finding[]> {
  const subject = 'tree';
  const mounts = parseMounts((await textOf('/proc/self/mountinfo')) ?? '');
  const meminfo = mounts.filter(({ point }) => point === tree || point.startsWith(`${tree}/`));
  if (meminfo.length === 0) {
    return [{ level: 'fail', subject, text: `nothing is mounted on ${tree}`, fix: 'lensfs serve' }];
  }
  const isShared = meminfo.some(({ propagation }) => propagation === 'shared');
  if (isShared)
    return [{ level: 'ok', subject, text: `${tree} is shared: rslave mounts follow it` }];
  const text = `${tree} is not shared: containers do not follow a daemon that is mounted anew`;
  return [{ level: 'warn', subject, text, fix: 'lensfs repair --all, after each restart' }];
}

/** Commands that print a version, and what there is to say of it. */
const runtimes: [command: string, note: (version: string) => string][] = [
  ['runc', () => 'refuses mounts over /proc/pressure/* and /proc/vmstat; the hook gives them'],
  ['crun', () => 'takes mounts over every file of /proc'],
  [
    'docker',
    (version) =>
      major(version) >= 28
        ? 'CDI is on'
        : major(version) >= 25
          ? 'CDI needs features.cdi'
          : 'no CDI: use --runtime lensfs',
  ],
  ['podman', (version) => (major(version) >= 4 ? 'CDI and hooks.d' : 'hooks.d only')],
  [
    'containerd',
    (version) =>
      major(version) >= 2 ? 'CDI is on, config version 3' : 'BinaryName, config version 2',
  ],
  ['crio', () => 'hooks.d and CDI'],
  ['lxc-start', () => 'use the flags of "lensfs mounts lxc"'],
];

async function examineRuntimes(): Promise<Finding[]> {
  const found = await Promise.all(
    runtimes.map(async ([command, note]): Promise<Finding[]> => {
      const output = await run(command, ['--version'], { timeout: versionLimitMs }).catch(
        () => undefined,
      );
      const version = /\d+(\.\d+)+/.exec(output?.stdout ?? '')?.[0];
      if (version === undefined) return [];
      return [{ level: 'ok', subject: command, text: `${version}: ${note(version)}` }];
    }),
  );
  return found.flat();
}

async function examineHooks(pathOf: (path: string) => string): Promise<Finding[]> {
  const names = Object.entries(hostFiles);
  const found = await Promise.all(
    names.map(async ([name, { path }]): Promise<Finding[]> => {
      const text = await textOf(pathOf(path));
      const program = /"([^"]*\/lensfs-(?:hook|runtime))"/.exec(text ?? '')?.[1];
      if (program === undefined) return [];
      const subject = `hook for ${name}`;
      if (await can(program, constants.X_OK)) {
        return [{ level: 'ok', subject, text: `${pathOf(path)} runs ${program}` }];
      }
      const fix = `lensfs hook install ${name}`;
      return [
        {
          level: 'fail',
          subject,
          text: `${pathOf(path)} names ${program}, which is not there`,
          fix,
        },
      ];
    }),
  );
  if (found.flat().length > 0) return found.flat();
  const text = 'installed nowhere: containers get the view by flags or "lensfs attach" only';
  return [{ level: 'warn', subject: 'hook', text, fix: 'lensfs hook install docker' }];
}

async function examineContainers(paths: readonly string[]): Promise<Finding[]> {
  return await Promise.all(
    (await listContainers()).map(async (container): Promise<Finding> => {
      const { attached, stale } = await readViewState(container, paths);
      const { pid, command, cgroup } = container;
      const subject = `container ${cgroup}`;
      const who = `process ${pid} (${command})`;
      if (stale.length > 0) {
        const text = `${who}: ${stale.length} of ${attached.length} files have a dead daemon`;
        return { level: 'fail', subject, text, fix: `lensfs repair ${pid}` };
      }
      if (attached.length > 0) {
        return {
          level: 'ok',
          subject,
          text: `${who}: ${attached.length} of ${paths.length} files`,
        };
      }
      return { level: 'warn', subject, text: `${who}: sees the host`, fix: `lensfs attach ${pid}` };
    }),
  );
}

function major(version: string): number {
  return Number(version.split('.')[0]);
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}

async function can(path: string, mode: number = constants.R_OK): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  );
}
