// SPDX-License-Identifier: Apache-2.0
// Containers that runc runs, without a daemon: for hundreds of them, and for what Docker does not
// offer, such as user namespaces.
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Argv, Container, type InsideOptions } from './container.js';
import { type Bind, createRoot, rootBinds, treeBinds } from './container-root.js';
import { Guard } from './guard.js';
import { cleanEnvironment, run } from './lensfs.js';
import { TempDir } from './temp-dir.js';

const runc = 'runc';
const idle = ['/busybox', 'sleep', '1000000'];
const periodUsec = 100_000;
const removedAtOnce = 8;
const firstUnprivilegedId = 200_000;

const cleanUp = `
  for state in "$1"/state/*/; do
    [ -d "$state" ] && runc --root "$1/state" delete --force "$(basename "$state")"
  done
  remove_cgroups "$2"
  rm -rf "$1"`;

export interface RuncOptions {
  memoryBytes?: number;
  /** Of memory and swap together, as OCI has it; -1 for no limit. */
  memorySwapBytes?: number;
  cpus?: number;
  /** A list, such as "0-1". */
  cpuset?: string;
  /** The first process. */
  command?: readonly string[];
  /** A user namespace of its own, in which root is nobody outside. */
  userNamespace?: boolean;
  cgroupNamespace?: boolean;
  /** The host's, or that of a process; a new one when left out. */
  pidNamespace?: 'host' | number;
  /** The cgroup of which the container's is a child; `Runc.cgroupParent` when left out. */
  cgroupParent?: string;
  /** Whether it has its cgroup at `/sys/fs/cgroup`. */
  cgroupMount?: boolean;
  /** Names such as "CAP_SYS_ADMIN"; none when left out. */
  capabilities?: readonly string[];
  /** Where its standard output goes. */
  outputFile?: string;
  /** Directories of the host besides those every container has; writable. */
  binds?: readonly Bind[];
}

/** A place for containers: their root file system, bundles and cgroups; disposing removes them all. */
export class Runc implements AsyncDisposable {
  readonly #dir: TempDir;
  readonly #tree: string;
  readonly #guard: Guard;
  readonly #containers = new Set<RuncContainer>();
  #made = 0;

  private constructor(dir: TempDir, tree: string) {
    this.#dir = dir;
    this.#tree = tree;
    this.#guard = new Guard(cleanUp, dir.path, this.cgroupParent);
  }

  /** A place for containers that have `tree` mounted. */
  static async create(tree: string): Promise<Runc> {
    const dir = await TempDir.create();
    await chmod(dir.path, 0o755); // root of a user namespace is to come in
    await mkdir(dir.at('root'));
    createRoot(dir.at('root'));
    return new Runc(dir, tree);
  }

  /** The cgroup, in every hierarchy, of which each container's is a child. */
  get cgroupParent(): string {
    return `/${this.#dir.path.split('/').at(-1)}`;
  }

  async start(options: RuncOptions = {}): Promise<RuncContainer> {
    this.#made += 1;
    const id = `${this.cgroupParent.slice(1)}-${this.#made}`;
    const bundle = this.#dir.at(id);
    await mkdir(bundle);
    const config = this.#config(id, options);
    await writeFile(join(bundle, 'config.json'), JSON.stringify(config));
    const state = this.#dir.at('state');
    const container = new RuncContainer(id, state, () => this.#containers.delete(container));
    this.#containers.add(container);
    // A detached container keeps runc's standard error, so that a pipe would never end.
    const log = join(bundle, 'log');
    const argv = ['--root', state, '--log', log, 'run', '--detach', '--bundle', bundle, id];
    const shell = ['-c', 'output=$1; shift; exec "$@" </dev/null >"$output" 2>&1', 'sh'];
    const line = [...shell, options.outputFile ?? '/dev/null', runc, ...argv];
    const { code } = await run('sh', line, { env: cleanEnvironment() });
    if (code === 0) return container;
    await container[Symbol.asyncDispose]();
    throw new Error(`Cannot start a container: ${await readFile(log, 'utf8')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = [...this.#containers];
    while (left.length > 0) {
      await Promise.all(left.splice(0, removedAtOnce).map((each) => each[Symbol.asyncDispose]()));
    }
    await this.#guard[Symbol.asyncDispose]();
  }

  #config(id: string, options: RuncOptions) {
    const { userNamespace = false, cgroupNamespace = false } = options;
    const binds = [
      ...rootBinds().map((bind) => toMount(bind, ['ro'])),
      // As the tree is mounted on the host: a user namespace may not have more than that.
      ...treeBinds(this.#tree).map((bind) => toMount(bind, ['ro', 'noexec'])),
      ...(options.binds ?? []).map((bind) => toMount(bind, ['rw'])),
    ];
    const namespaces: { type: string; path?: string }[] = ['mount', 'ipc', 'uts'].map(toNamespace);
    if (typeof options.pidNamespace === 'number') {
      namespaces.push({ type: 'pid', path: `/proc/${options.pidNamespace}/ns/pid` });
    } else if (options.pidNamespace !== 'host') namespaces.push({ type: 'pid' });
    if (userNamespace) namespaces.push({ type: 'user' });
    if (cgroupNamespace) namespaces.push({ type: 'cgroup' });
    const mapping = { containerID: 0, hostID: firstUnprivilegedId, size: 65_536 };
    return {
      ociVersion: '1.0.2',
      process: {
        user: { uid: 0, gid: 0 },
        args: options.command ?? idle,
        env: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'],
        cwd: '/',
        ...(options.capabilities === undefined
          ? {}
          : { capabilities: toCapabilities(options.capabilities) }),
      },
      root: { path: this.#dir.at('root'), readonly: true },
      mounts: [
        ...kernelMounts(userNamespace),
        ...(options.cgroupMount === true ? [cgroupMount] : []),
        ...binds,
      ],
      linux: {
        cgroupsPath: `${options.cgroupParent ?? this.cgroupParent}/${id}`,
        resources: toResources(options),
        namespaces,
        ...(userNamespace ? { uidMappings: [mapping], gidMappings: [mapping] } : {}),
      },
    };
  }
}

/** A container that runc runs. */
export class RuncContainer extends Container {
  readonly name: string;
  readonly #state: string;
  readonly #onDisposed: () => void;

  constructor(name: string, state: string, onDisposed: () => void) {
    super();
    this.name = name;
    this.#state = state;
    this.#onDisposed = onDisposed;
  }

  override inside(argv: readonly string[], { user }: InsideOptions = {}): Argv {
    const asUser = user === undefined ? [] : ['--user', `${user}:${user}`];
    return [runc, '--root', this.#state, 'exec', ...asUser, this.name, ...argv];
  }

  override async pid(): Promise<number> {
    const { stdout } = await run(runc, ['--root', this.#state, 'state', this.name]);
    return (JSON.parse(stdout) as { pid: number }).pid;
  }

  async kill(): Promise<void> {
    await run(runc, ['--root', this.#state, 'kill', this.name, 'KILL']);
  }

  /** Changes limits; flags are those of `runc update`. */
  async update(...flags: string[]): Promise<void> {
    const { code, stderr } = await run(runc, [
      ...['--root', this.#state, 'update', ...flags, this.name],
    ]);
    if (code !== 0) throw new Error(`runc update: ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { code, stderr } = await run(runc, [
      ...['--root', this.#state, 'delete', '--force', this.name],
    ]);
    if (code !== 0 && existsSync(join(this.#state, this.name))) throw new Error(stderr);
    this.#onDisposed();
  }
}

const cgroupMount = {
  destination: '/sys/fs/cgroup',
  type: 'cgroup',
  source: 'cgroup',
  options: ['ro', 'nosuid', 'noexec', 'nodev'],
};

function toNamespace(type: string): { type: string } {
  return { type };
}

function toCapabilities(names: readonly string[]) {
  return { bounding: names, effective: names, permitted: names };
}

function kernelMounts(userNamespace: boolean) {
  const sysfs = { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] };
  // sysfs belongs to the network namespace, which is the host's here.
  const boundSys = { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'ro'] };
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755', 'size=64k'] },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    userNamespace ? boundSys : sysfs,
  ];
}

function toMount({ from, to }: Bind, options: readonly string[]) {
  const all = ['rbind', 'nosuid', 'nodev', ...options];
  return { destination: to, type: 'bind', source: from, options: all };
}

function toResources({ memoryBytes, memorySwapBytes, cpus, cpuset }: RuncOptions) {
  const swap = memorySwapBytes === undefined ? {} : { swap: memorySwapBytes };
  return {
    ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes, ...swap } }),
    cpu: {
      ...(cpus === undefined ? {} : { quota: cpus * periodUsec, period: periodUsec }),
      ...(cpuset === undefined ? {} : { cpus: cpuset }),
    },
  };
}
