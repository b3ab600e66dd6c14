// SPDX-License-Identifier: Apache-2.0
// What lensfs needs of the kernel and of how the host is set up.
import { constants } from 'node:fs';
import type { ExaminedHost } from './examined-host.js';
import { type Finding, fine } from './finding.js';
import { mountOf, parseMounts } from './mount-table.js';

/** The oldest kernel with mount_setattr(2), which everything that mounts into containers needs. */
const oldestKernel = [5, 12] as const;

export async function examineHost(host: ExaminedHost): Promise<Finding[]> {
  return await Promise.all([
    examineKernel(host),
    examineFuse(host),
    examineCgroups(host),
    examineControllers(host),
    examinePressure(host),
    examinePropagation(host),
    examineYama(host),
    examineSelinux(host),
    examineApparmor(host),
  ]);
}

function examineKernel({ release }: ExaminedHost): Finding {
  const [major = 0, minor = 0] = release.split('.').map(Number.parseFloat);
  const isOld = major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1]);
  const subject = 'kernel';
  if (!isOld) return fine(subject, `Linux ${release}`);
  const text = `Linux ${release}: expected ${oldestKernel.join('.')} or newer for hook, attach and repair`;
  return { level: 'fail', subject, text, fix: 'lensfs mounts docker' };
}

async function examineFuse(host: ExaminedHost): Promise<Finding> {
  const subject = 'fuse';
  if (await host.can('/dev/fuse', constants.R_OK | constants.W_OK)) {
    return fine(subject, '/dev/fuse can be opened');
  }
  return { level: 'fail', subject, text: '/dev/fuse cannot be opened', fix: 'modprobe fuse' };
}

async function examineCgroups(host: ExaminedHost): Promise<Finding> {
  const subject = 'cgroups';
  if (await host.can('/sys/fs/cgroup/cgroup.controllers')) return fine(subject, 'v2');
  const isHybrid = await host.can('/sys/fs/cgroup/unified/cgroup.procs');
  if (isHybrid) return fine(subject, 'hybrid: v1, with a v2 hierarchy beside it');
  if (await host.can('/sys/fs/cgroup/memory')) return fine(subject, 'v1');
  const fix = 'mount -t cgroup2 cgroup2 /sys/fs/cgroup';
  return { level: 'fail', subject, text: 'none in /sys/fs/cgroup', fix };
}

/** Distributions for small boards leave "memory" out unless the kernel is told to have it. */
async function examineControllers(host: ExaminedHost): Promise<Finding> {
  const table = (await host.text('/proc/cgroups')) ?? '';
  const rows = table.split('\n').map((line) => line.split('\t'));
  const v1 = rows.filter(([, , , enabled]) => enabled === '1').map(([name]) => name);
  const v2 = (await host.text('/sys/fs/cgroup/cgroup.controllers'))?.trim().split(' ');
  const missing = ['cpu', 'cpuset', 'memory'].filter((name) => !(v2 ?? v1).includes(name));
  const subject = 'controllers';
  const [first] = missing;
  if (first === undefined) return fine(subject, 'cpu, cpuset and memory');
  const text = `without ${missing.join(', ')}: what a container uses of it is not known`;
  const fix = `add "cgroup_enable=${first}" to the kernel's command line and start the host again`;
  return { level: 'warn', subject, text, fix };
}

async function examinePressure(host: ExaminedHost): Promise<Finding> {
  const subject = 'pressure';
  if (await host.can('/proc/pressure/cpu')) return fine(subject, '/proc/pressure is there');
  const text = 'no /proc/pressure: containers have none either';
  const fix = 'add "psi=1" to the kernel\'s command line and start the host again';
  return { level: 'warn', subject, text, fix };
}

async function examinePropagation(host: ExaminedHost): Promise<Finding> {
  const mounts = parseMounts((await host.text('/proc/self/mountinfo')) ?? '');
  const subject = 'propagation';
  if (mountOf(mounts, '/')?.propagation === 'shared') return fine(subject, '/ is shared');
  const text =
    '/ is not shared: services and pods with mounts of their own do not see a tree that is mounted after they started';
  return { level: 'warn', subject, text, fix: 'mount --make-rshared /' };
}

/** Yama restricts who may be a debugger; to look into a container nobody becomes one. */
async function examineYama(host: ExaminedHost): Promise<Finding> {
  const scope = (await host.text('/proc/sys/kernel/yama/ptrace_scope'))?.trim();
  return fine('yama', scope === undefined ? 'off' : `ptrace_scope ${scope}: does not matter`);
}

async function examineSelinux(host: ExaminedHost): Promise<Finding> {
  const subject = 'SELinux';
  const enforce = (await host.text('/sys/fs/selinux/enforce'))?.trim();
  if (enforce !== '1') return fine(subject, enforce === undefined ? 'off' : 'permissive');
  const boolean = 'virt_sandbox_use_fusefs';
  const value = (await host.text(`/sys/fs/selinux/booleans/${boolean}`))?.trim();
  // Two numbers: what is in force, and what is to be.
  if (value?.startsWith('1')) return fine(subject, `enforcing, with ${boolean} on`);
  const text = 'enforcing: containers may not be allowed to read files of FUSE';
  return { level: 'warn', subject, text, fix: `setsebool -P ${boolean} on` };
}

async function examineApparmor(host: ExaminedHost): Promise<Finding> {
  const enabled = (await host.text('/sys/module/apparmor/parameters/enabled'))?.trim() === 'Y';
  const text = enabled ? "on: engines' own profiles let containers read the files" : 'off';
  return fine('AppArmor', text);
}
