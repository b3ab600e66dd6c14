// SPDX-License-Identifier: Apache-2.0
// A small virtual machine: a Debian kernel, an initramfs with busybox, and a script to run. For what
// the host cannot offer: other kernels, cgroup v1 or v2 alone, hundreds of CPUs, swap.
//
// Needs qemu-system-x86_64 and busybox-static. The processors are emulated (no KVM): a boot takes about ten
// seconds, everything else is ten to fifty times slower than on the host.

import { execFile, spawn } from 'node:child_process';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const mebibyte = 1024 * 1024;
const defaultTimeoutMs = 300_000;
const virtiofsDaemon = '/usr/lib/qemu/virtiofsd';

export interface Kernel {
  /** The bootable image. */
  readonly image: string;
  /** The directory with its modules and modules.dep. */
  readonly modules: string;
}

export interface VmOptions {
  readonly kernel: Kernel;
  readonly memoryMib: number;
  /** What `-smp` takes: "4", or "64,sockets=2,cores=16,threads=2". */
  readonly cpus: string;
  /** For the kernel command line, e.g. ["cgroup_no_v1=all"]. */
  readonly kernelArguments?: readonly string[];
  /** Kernel modules to load besides those of the devices asked for, e.g. ["zram"]. */
  readonly modules?: readonly string[];
  /** Programs of the host, copied to /bin with the libraries they need. busybox is always there. */
  readonly programs?: readonly string[];
  /** Files to put into the guest: absolute path there, and content or path here. */
  readonly files?: Readonly<Record<string, Buffer | string | { readonly from: string }>>;
  /** Empty disks, as /dev/vda, /dev/vdb, ... in order. */
  readonly disksMib?: readonly number[];
  /**
   * Run the script in the host's own file system (shared with virtiofs, changes kept in the guest's
   * memory), so that it finds node and all else that is installed here.
   */
  readonly hostRoot?: boolean;
  /** For /bin/sh as root; its standard output is the result. /proc, /sys and /dev are mounted. */
  readonly script: string;
  readonly timeoutMs?: number;
}

export interface VmResult {
  /** The exit status of the script, or null when it did not come to an end. */
  readonly status: number | null;
  /** The script's standard output. */
  readonly output: Buffer;
  /** Kernel messages and the script's standard error. */
  readonly console: string;
}

/**
 * Downloads and unpacks a Debian kernel package with apt (nothing is installed), unless `directory`
 * has one already.
 */
export async function prepareKernel(
  directory: string,
  metaPackage = 'linux-image-cloud-amd64',
): Promise<Kernel> {
  const unpacked = await findKernel(directory);
  if (unpacked !== null) return unpacked;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const { stdout } = await run('apt-cache', ['depends', '--important', metaPackage]);
  const imagePackage = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (imagePackage === undefined) throw new Error(`No kernel package: "${metaPackage}"`);
  await run('apt-get', ['download', imagePackage], { cwd: directory });
  for (const name of await readdir(directory)) {
    await run('dpkg-deb', ['--extract', join(directory, name), directory]);
    await rm(join(directory, name));
  }
  const [version = ''] = await readdir(join(directory, 'lib/modules'));
  await run('busybox', ['depmod', '-b', directory, version]);
  const kernel = await findKernel(directory);
  if (kernel === null) throw new Error(`No kernel in the package "${imagePackage}"`);
  return kernel;
}

async function findKernel(directory: string): Promise<Kernel | null> {
  const versions = await readdir(join(directory, 'lib/modules')).catch(() => []);
  const version = versions[0] ?? '';
  const modules = join(directory, 'lib/modules', version);
  const isReady = await readFile(join(modules, 'modules.dep')).catch(() => null);
  return isReady && { image: join(directory, 'boot', `vmlinuz-${version}`), modules };
}

/**
 * Boots, runs the script, powers off.
 *
 * @throws {Error} when qemu cannot be started or the machine is not done within `timeoutMs`
 */
export async function runInVm(options: VmOptions): Promise<VmResult> {
  const directory = await mkdtemp(join(tmpdir(), 'lensfs-vm-'));
  const children = new AbortController();
  try {
    await buildInitramfs(options, directory);
    const disks = await createDisks(options.disksMib ?? [], directory);
    const shares = options.hostRoot === true ? await shareHostRoot(directory, children.signal) : [];
    const machine = [...qemuArguments(options, directory), ...disks, ...shares];
    await runQemu(machine, directory, options.timeoutMs ?? defaultTimeoutMs);
    const status = await readFile(join(directory, 'status'), 'utf8');
    return {
      status: status === '' ? null : Number(status),
      output: await readFile(join(directory, 'output')),
      console: await readFile(join(directory, 'console'), 'utf8'),
    };
  } finally {
    children.abort();
    await rm(directory, { recursive: true, force: true });
  }
}

// --- the machine ---------------------------------------------------------------------------------

function qemuArguments(options: VmOptions, directory: string): string[] {
  const kernelArguments = [
    'console=ttyS0',
    'quiet',
    'panic=-1',
    ...(options.kernelArguments ?? []),
  ];
  const port = (name: string): string[] => [
    '-chardev',
    `file,id=${name},path=${join(directory, name)}`,
    '-device',
    `virtserialport,chardev=${name},name=${name}`,
  ];
  return [
    // Without the instructions that real processors copy fastest with, and this one byte by byte.
    ...['-machine', 'q35', '-cpu', 'max,la57=off,erms=off,fsrm=off', '-smp', options.cpus],
    ...['-accel', 'tcg,thread=multi'],
    ...['-m', `${options.memoryMib}M`],
    ...['-object', `memory-backend-memfd,id=memory,size=${options.memoryMib}M,share=on`],
    ...['-numa', 'node,memdev=memory'],
    ...['-kernel', options.kernel.image, '-initrd', join(directory, 'initramfs')],
    ...['-append', kernelArguments.join(' ')],
    ...['-display', 'none', '-no-reboot', '-nodefaults'],
    ...['-serial', `file:${join(directory, 'console')}`],
    ...['-device', 'virtio-serial', ...port('output'), ...port('status')],
  ];
}

async function createDisks(sizesMib: readonly number[], directory: string): Promise<string[]> {
  const disks = sizesMib.map((sizeMib, index) => ({
    sizeMib,
    path: join(directory, `disk${index}`),
  }));
  for (const { path, sizeMib } of disks) {
    const disk = await open(path, 'wx');
    await disk.truncate(sizeMib * mebibyte);
    await disk.close();
  }
  return disks.flatMap(({ path }) => ['-drive', `file=${path},if=virtio,format=raw,cache=unsafe`]);
}

async function shareHostRoot(directory: string, signal: AbortSignal): Promise<string[]> {
  const socket = join(directory, 'virtiofs');
  const daemon = spawn(
    virtiofsDaemon,
    [`--socket-path=${socket}`, '-o', 'source=/', '-o', 'sandbox=chroot', '-o', 'cache=always'],
    { signal, stdio: 'ignore' },
  );
  daemon.on('error', () => {}); // stopped by the signal, or qemu will not find the socket
  await waitForFile(socket);
  return [
    ...['-chardev', `socket,id=host,path=${socket}`],
    ...['-device', 'vhost-user-fs-pci,chardev=host,tag=host'],
  ];
}

async function runQemu(argv: string[], directory: string, timeoutMs: number): Promise<void> {
  for (const name of ['output', 'status', 'console']) await writeFile(join(directory, name), '');
  try {
    await run('qemu-system-x86_64', argv, { timeout: timeoutMs, killSignal: 'SIGKILL' });
  } catch (error) {
    const [output = '', said = ''] = await Promise.all(
      ['output', 'console'].map((name) => readFile(join(directory, name), 'utf8')),
    );
    const { killed = false, stderr = '' } = error as { killed?: boolean; stderr?: string };
    const reason = killed ? `is not done after ${timeoutMs} ms` : `does not start: ${stderr}`;
    const ends = [output, said].map((text) => text.slice(-4000)).join('\n');
    throw new Error(`The virtual machine ${reason}\n${ends}`, { cause: error });
  }
}

// --- its initramfs -------------------------------------------------------------------------------

async function buildInitramfs(options: VmOptions, directory: string): Promise<void> {
  const root = join(directory, 'root');
  for (const name of ['bin', 'dev', 'etc', 'modules', 'proc', 'run', 'sys', 'tmp', 'var/lib']) {
    await mkdir(join(root, name), { recursive: true });
  }
  await addPrograms(root, ['busybox', ...(options.programs ?? [])]);
  const modules = await addModules(root, options);
  await addFile(root, '/script', options.script);
  for (const [path, content] of Object.entries(options.files ?? {}))
    await addFile(root, path, content);
  await addFile(root, '/init', initScript(modules, options.hostRoot === true));
  const pack = 'find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 >../initramfs';
  await run('sh', ['-c', pack], { cwd: root });
}

/** Process 1: makes the guest usable, runs the script and reports its status. */
function initScript(modules: readonly string[], hostRoot: boolean): string {
  const end = `
    echo $? >/dev/vport0p2
    sync
    echo o >/proc/sysrq-trigger
    sleep 60`;
  // The host's root becomes the root of the mount namespace: who enters that finds it there.
  const inHostRoot = `
    mkdir /host /changes /newroot
    mount -t virtiofs -o ro host /host
    mount -t tmpfs changes /changes
    mkdir /changes/upper /changes/work
    mount -t overlay -o lowerdir=/host,upperdir=/changes/upper,workdir=/changes/work root /newroot
    for name in proc sys dev; do mount --move /$name /newroot/$name; done
    mount -t tmpfs run /newroot/run
    cp /script /newroot/run/script
    exec switch_root -c /dev/console /newroot /bin/sh -c '
      /bin/sh /run/script >/dev/vport0p1 2>/dev/console </dev/null
      ${end}'`;
  const inInitramfs = `
    /bin/sh /script >/dev/vport0p1 2>/dev/console </dev/null
    ${end}`;
  return `#!/bin/busybox sh
    /bin/busybox --install -s /bin
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev 2>/dev/null
    mkdir -p /dev/pts /dev/shm
    mount -t devpts devpts /dev/pts
    mount -t tmpfs tmpfs /dev/shm
    hostname vm
    for module in ${modules.join(' ')}; do insmod /modules/$module; done
    ip link set lo up
    ${hostRoot ? inHostRoot : inInitramfs}
`;
}

async function addPrograms(root: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { stdout } = await run('sh', ['-c', 'command -v "$1"', 'sh', name]);
    const path = stdout.trim();
    await copyExecutable(path, join(root, 'bin', basename(path)));
    const libraries = await run('ldd', [path]).catch(() => ({ stdout: '' })); // static ones fail
    for (const [library] of libraries.stdout.matchAll(/\/\S+/g)) {
      await copyExecutable(library, join(root, library));
    }
  }
}

/** Copies modules with all they depend on; returns file names in an order in which they load. */
async function addModules(root: string, options: VmOptions): Promise<string[]> {
  const directory = options.kernel.modules;
  const dependencies = parseModulesDep(await readFile(join(directory, 'modules.dep'), 'utf8'));
  const wanted = ['virtio_pci', 'virtio_console', 'virtio_blk', ...(options.modules ?? [])];
  if (options.hostRoot === true) wanted.push('virtiofs', 'overlay');
  const ordered = new Set<string>();
  for (const name of wanted) {
    const path = [...dependencies.keys()].find((each) => basename(each) === `${name}.ko`);
    if (path === undefined) throw new Error(`No such kernel module: "${name}"`);
    for (const each of [...(dependencies.get(path) ?? [])].reverse()) ordered.add(each);
    ordered.add(path);
  }
  for (const path of ordered)
    await copyFile(join(directory, path), join(root, 'modules', basename(path)));
  return [...ordered].map((path) => basename(path));
}

/** Lines of "kernel/fs/fuse/virtiofs.ko: kernel/fs/fuse/fuse.ko ..."; the last one loads first. */
function parseModulesDep(text: string): Map<string, string[]> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const [path = '', rest = ''] = line.split(':');
      return [path, rest.split(' ').filter((name) => name !== '')];
    }),
  );
}

async function addFile(
  root: string,
  path: string,
  content: Buffer | string | { readonly from: string },
): Promise<void> {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  const isHere = typeof content === 'string' || Buffer.isBuffer(content);
  if (isHere) await writeFile(target, content);
  else await copyFile(content.from, target);
  await chmod(target, 0o755);
}

async function copyExecutable(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, 0o755);
}

async function waitForFile(path: string): Promise<void> {
  for (let attempt = 0; attempt < 100; ++attempt) {
    if (
      await readFile(path).then(
        () => true,
        (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
      )
    ) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nothing appears at "${path}"`);
}
