// SPDX-License-Identifier: Apache-2.0
// Runs test files in a virtual machine with cgroup v2, which has this checkout and the programs of this
// host.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { prepareKernel, runInVm } from '../_support/vm.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const kernelDirectory = join(repository, 'build/vm/kernel');
// As deep as test/*/, from where test files look for the built program.
const bundlePath = join(repository, 'build/vm/tests.mjs');
const takenDirectory = '/run/taken';
const patience = 10;
const pidMax = 1500;
const hostileReads = 4000;

/** How a test has ended. */
export interface GuestResult {
  readonly file: string;
  readonly name: string;
  /** "pass", "fail" or "skip". */
  readonly state: string;
  /** By the guest's clock. */
  readonly ms: number;
  /** Why it was skipped or has failed. */
  readonly details: string;
}

/** Runs test files, by their names from the repository's root, on Debian's kernel with four processors. */
export async function runInGuest(
  files: readonly string[],
  timeoutMs: number,
): Promise<GuestResult[]> {
  await bundle(files);
  const { status, output, console } = await runInVm({
    kernel: await prepareKernel(kernelDirectory),
    memoryMib: 2048,
    cpus: '4',
    kernelArguments: [
      ...['cgroup_no_v1=all', 'psi=1'],
      // Less to emulate, the same code at the same addresses; and a host that is busy looks like a broken timer.
      ...['mitigations=off', 'nokaslr', 'norandmaps', 'no_timer_check', 'nowatchdog', 'audit=0'],
      'rcupdate.rcu_cpu_stall_suppress=1',
    ],
    disksMib: [512, 64],
    hostRoot: true,
    script: guestScript,
    timeoutMs,
  });
  const lines = output.toString('utf8').split('\n').filter(Boolean);
  if (status !== 0) {
    const said = [...lines.slice(-5), console.slice(-6000)].join('\n');
    throw new Error(`The tests in the guest ended with ${status}:\n${said}`);
  }
  return lines.map((line) => JSON.parse(line) as GuestResult);
}

/** Disks: vda for files, vdb for nothing but tests' own I/O. Cgroups are laid out as systemd does it. */
const guestScript = `
set -e
mkdir -p /tmp /var/tmp /run/checkout
# The checkout stays where it is, also where that is below /tmp.
mount --bind ${repository} /run/checkout
mount -t tmpfs tmpfs /tmp
mkdir -p ${repository}
mount --bind /run/checkout ${repository}
mke2fs -q -t ext4 /dev/vda >&2
mount /dev/vda /var/tmp
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
cd /sys/fs/cgroup
mkdir init.scope
for pid in $(cat cgroup.procs); do echo $pid >init.scope/cgroup.procs || :; done 2>/dev/null
for name in $(cat cgroup.controllers); do echo +$name >cgroup.subtree_control; done
mkdir -p system.slice/tests.service
echo $$ >system.slice/tests.service/cgroup.procs
cd ${repository}
# Numbers of processes are soon used again.
echo ${pidMax} >/proc/sys/kernel/pid_max
export LENSFS_TEST_PATIENCE=${patience} LENSFS_HOSTILE_READS=${hostileReads}
echo "up after $(cut -d' ' -f1 /proc/uptime) s" >&2
# Two: one of them alone leaves half of the host's processors idle.
mkdir ${takenDirectory}
node ${bundlePath} 3>&1 >&2 & first=$!
node ${bundlePath} 3>&1 >&2 & second=$!
wait $first
wait $second
`;

/** One file without vite's help: what is imported is in it, but Node.js's own modules. */
export async function bundle(files: readonly string[]): Promise<void> {
  await mkdir(join(repository, 'build/vm'), { recursive: true });
  const modules = files.map((file) => `${JSON.stringify(file)}: () => import("./${file}")`);
  await build({
    stdin: {
      contents: `
        import { runFiles } from './test/vm/run-files.js';
        await runFiles({ ${modules.join(', ')} }, '${takenDirectory}');
        process.exit();`,
      resolveDir: repository,
    },
    outfile: bundlePath,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['*.node'],
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    logLevel: 'error',
    plugins: [
      {
        name: 'docker-of-runc',
        setup({ onResolve }) {
          const path = join(repository, 'test/_support/docker-of-runc.ts');
          onResolve({ filter: /\/docker\.js$/ }, () => ({ path }));
        },
      },
    ],
  });
}
