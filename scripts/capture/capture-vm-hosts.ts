// SPDX-License-Identifier: Apache-2.0
// Captures test/fixtures/hosts from virtual machines: npx vite-node scripts/capture/capture-vm-hosts.ts
// [NAME...]. Needs root for nothing, but qemu-system-x86, busybox-static, gcc, runc and e2fsprogs.
// A host whose capture fails keeps its fixture. One machine runs at a time, but an emulated processor is
// a thread: 64 of them load a small host heavily for minutes, so choose names, and the hour.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatTree, parseTree } from '../../test/_support/tree.js';
import { prepareKernel, runInVm, type VmOptions } from '../../test/_support/vm.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const fixtures = join(here, '../../test/fixtures/hosts');
const cache = join(here, '../../node_modules/.cache/lensfs-vm');

interface Host extends Pick<VmOptions, 'cpus' | 'memoryMib' | 'kernelArguments' | 'modules'> {
  readonly scenario: string;
  readonly disksMib: readonly number[];
  /** Text of /cpus in the guest: the CPUs of a container. */
  readonly containerCpus?: string;
}

const v2 = ['cgroup_no_v1=all'];
const fourCpus = { cpus: '4,sockets=1,cores=2,threads=2', memoryMib: 1024 };

const hosts: Readonly<Record<string, Host>> = {
  'v2-systemd-4cpu-swap': {
    ...fourCpus,
    scenario: 'v2-systemd',
    kernelArguments: v2,
    disksMib: [256, 512],
  },
  'v2-cgroupfs-4cpu-zram': {
    ...fourCpus,
    scenario: 'v2-cgroupfs',
    kernelArguments: v2,
    modules: ['lzo-rle', 'zram'],
    disksMib: [256],
  },
  'v1-4cpu-swap': {
    ...fourCpus,
    scenario: 'v1',
    kernelArguments: ['cgroup_no_v1=none', 'cgroup_enable=memory', 'swapaccount=1'],
    modules: ['bfq'],
    disksMib: [256, 512],
  },
  'v2-64cpu': {
    cpus: '64,sockets=2,cores=16,threads=2',
    memoryMib: 1024,
    scenario: 'many-cpus',
    kernelArguments: v2,
    disksMib: [],
    containerCpus: '0-3,32-35',
  },
};

async function capture(name: string, host: Host): Promise<void> {
  const { scenario, containerCpus = '', ...machine } = host;
  const kernel = await prepareKernel(join(cache, 'kernel'));
  const { status, output, console } = await runInVm({
    ...machine,
    kernel,
    programs: ['runc', 'mke2fs', 'mkfs.ext4'],
    files: { ...captureFiles(), '/cpus': `${containerCpus}\n` },
    script: `. /capture/scenarios/${scenario}.sh`,
    timeoutMs: 900_000,
  });
  process.stderr.write(console);
  if (status !== 0) throw new Error(`Cannot capture "${name}": the scenario ended with ${status}`);
  const document = parseTree(output);
  const comments = [...document.comments, `captured by scripts/capture/scenarios/${scenario}.sh`];
  writeFileSync(join(fixtures, `${name}.tree`), formatTree({ ...document, comments }));
  process.stderr.write(`${name}: ${document.entries.length} entries, ${output.length} bytes\n`);
}

function captureFiles(): Record<string, { readonly from: string }> {
  mkdirSync(cache, { recursive: true });
  const workload = join(cache, 'workload');
  execFileSync('gcc', ['-O1', '-static', '-pthread', '-o', workload, join(here, 'workload.c')]);
  const scripts = ['capture-host-tree.sh', 'containers.sh'].concat(
    readdirSync(join(here, 'scenarios')).map((name) => `scenarios/${name}`),
  );
  return Object.fromEntries([
    ['/bin/workload', { from: workload }],
    ...scripts.map((name) => [`/capture/${name}`, { from: join(here, name) }] as const),
  ]);
}

const wanted = process.argv.slice(2);
for (const [name, host] of Object.entries(hosts)) {
  if (wanted.length === 0 || wanted.includes(name)) await capture(name, host);
}
