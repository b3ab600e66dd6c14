// SPDX-License-Identifier: Apache-2.0
// OCI bundles of a small root file system, and the runtimes that make containers of them.
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { copyBusybox } from './container-root.js';
import { Guard } from './guard.js';
import { type Finished, run } from './lensfs.js';
import { TempDir } from './temp-dir.js';

/** The runtimes whose behaviour the tests know. */
export const runtimes = ['runc', 'crun'] as const;
export type Runtime = (typeof runtimes)[number];

/** Whether there is a v2 hierarchy beside those of v1. */
export function isHybrid(): boolean {
  return existsSync('/sys/fs/cgroup/unified/cgroup.procs');
}

const firstUnprivilegedId = 200_000;
const periodUsec = 100_000;

export interface OciHook {
  path: string;
  args: readonly string[];
}

export interface BundleOptions {
  /** Of an earlier one, whose bundle is written anew; a new id when not given. */
  id?: string;
  command: readonly string[];
  memoryBytes?: number;
  cpus?: number;
  userNamespace?: boolean;
  cgroupNamespace?: boolean;
  /** Without one the container shows the host's processes. */
  pidNamespace?: boolean;
  env?: readonly string[];
  annotations?: Record<string, string>;
  mounts?: readonly object[];
  /** Of the root directory, such as "rshared". */
  rootPropagation?: string;
  /** Whether the host's /proc is bound instead of a new one. */
  hostProc?: boolean;
  hooks?: Record<string, readonly OciHook[]>;
}

const cleanUp = `
  for state in "$1"/state-runc/*/ "$1"/state-crun/*/; do
    [ -d "$state" ] || continue
    runtime=$(basename "$(dirname "$state")")
    "\${runtime#state-}" --root "$(dirname "$state")" delete --force "$(basename "$state")"
  done
  remove_cgroups "$2"
  rm -rf "$1"`;

/** A place for bundles and containers; disposing removes them all. */
export class Bundles implements AsyncDisposable {
  readonly dir: TempDir;
  readonly #guard: Guard;
  #made = 0;

  private constructor(dir: TempDir) {
    this.dir = dir;
    this.#guard = new Guard(cleanUp, dir.path, this.cgroupParent);
  }

  static async create(): Promise<Bundles> {
    const dir = await TempDir.create();
    await chmod(dir.path, 0o755); // root of a user namespace is to come in
    copyBusybox(dir.at('root'));
    return new Bundles(dir);
  }

  /** The cgroup, in every hierarchy, of which each container's is a child. */
  get cgroupParent(): string {
    return `/${this.dir.path.split('/').at(-1)}`;
  }

  /** Makes a bundle; its directory's name is the container's id. */
  async make(options: BundleOptions): Promise<Bundle> {
    this.#made += 1;
    const id = options.id ?? `${this.cgroupParent.slice(1)}-${this.#made}`;
    const path = this.dir.at(id);
    await mkdir(path, { recursive: true });
    const config = toConfig(options, this.dir.at('root'), `${this.cgroupParent}/${id}`);
    await writeFile(`${path}/config.json`, JSON.stringify(config));
    return { id, path };
  }

  /** The command line of a runtime, or of a program that stands for it. */
  commandLine(runtime: Runtime, program: readonly string[], args: readonly string[]): string[] {
    const all = [...program, '--root', this.dir.at(`state-${runtime}`), ...args];
    // crun takes no hybrid hierarchy.
    if (runtime === 'runc' || !isHybrid()) return all;
    const hide = 'umount /sys/fs/cgroup/unified && exec "$@"';
    return ['unshare', '--mount', 'sh', '-c', hide, 'sh', ...all];
  }

  /** Runs a bundle's container to its end. */
  async run(
    runtime: Runtime,
    bundle: Bundle,
    program: readonly string[] = [runtime],
  ): Promise<Finished> {
    const args = ['run', '--bundle', bundle.path, bundle.id];
    const [command = '', ...rest] = this.commandLine(runtime, program, args);
    return await run(command, rest);
  }

  /** Starts a container of runc, or of a program that stands for it. */
  async start(
    options: BundleOptions,
    program: readonly string[] = ['runc'],
  ): Promise<RunningBundle> {
    const { id, path } = await this.make(options);
    const state = this.dir.at('state-runc');
    const log = `${path}/log`;
    const argv = ['--root', state, '--log', log, 'run', '--detach', '--bundle', path, id];
    // A detached container keeps runc's standard error, so that a pipe would never end.
    const shell = ['-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh', ...program, ...argv];
    const { code } = await run('sh', shell);
    if (code !== 0) throw new Error(`Cannot start a container: ${await readFile(log, 'utf8')}`);
    const { stdout } = await run('runc', ['--root', state, 'state', id]);
    return new RunningBundle(id, (JSON.parse(stdout) as { pid: number }).pid, state);
  }

  /**
   * Runs a container of these options to its end; gives what it printed.
   *
   * @throws {Error} with all it wrote, when it fails
   */
  async output(
    runtime: Runtime,
    options: BundleOptions,
    program: readonly string[] = [runtime],
  ): Promise<string> {
    const bundle = await this.make(options);
    const { code, stdout, stderr } = await this.run(runtime, bundle, program);
    if (code === 0) return stdout;
    throw new Error(`${runtime} ended with ${code}: ${stdout}${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard[Symbol.asyncDispose]();
  }
}

/** A running container of runc; disposing kills and removes it. */
export class RunningBundle implements AsyncDisposable {
  readonly id: string;
  /** Of its first process. */
  readonly pid: number;
  readonly #state: string;

  constructor(id: string, pid: number, state: string) {
    this.id = id;
    this.pid = pid;
    this.#state = state;
  }

  /**
   * What a command prints in it.
   *
   * @throws {Error} with all it wrote, when it fails
   */
  async output(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await run('runc', [
      '--root',
      this.#state,
      'exec',
      this.id,
      ...argv,
    ]);
    if (code === 0) return stdout;
    throw new Error(`"${argv.join(' ')}" ended with ${code}: ${stdout}${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('runc', ['--root', this.#state, 'delete', '--force', this.id]);
  }
}

export interface Bundle {
  id: string;
  path: string;
}

function toConfig(options: BundleOptions, root: string, cgroupsPath: string) {
  const { userNamespace = false, cgroupNamespace = false, pidNamespace = true } = options;
  const namespaces = ['mount', 'ipc', 'uts'];
  if (pidNamespace) namespaces.push('pid');
  if (userNamespace) namespaces.push('user');
  if (cgroupNamespace) namespaces.push('cgroup');
  const mapping = { containerID: 0, hostID: firstUnprivilegedId, size: 65_536 };
  const bound = (path: string) => {
    return { destination: path, type: 'bind', source: path, options: ['rbind', 'ro'] };
  };
  const ownProc = { destination: '/proc', type: 'proc', source: 'proc' };
  const sysfs = { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] };
  return {
    ociVersion: '1.0.2',
    annotations: options.annotations,
    process: {
      user: { uid: 0, gid: 0 },
      args: options.command,
      env: ['PATH=/bin', ...(options.env ?? [])],
      cwd: '/',
    },
    root: { path: root, readonly: true },
    mounts: [
      options.hostProc === true ? bound('/proc') : ownProc,
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755', 'size=64k'] },
      // sysfs belongs to the network namespace, which is the host's here.
      userNamespace ? bound('/sys') : sysfs,
      ...(options.mounts ?? []),
    ],
    hooks: options.hooks,
    linux: {
      cgroupsPath,
      rootfsPropagation: options.rootPropagation,
      resources: {
        memory: { limit: options.memoryBytes },
        cpu: {
          quota: options.cpus === undefined ? undefined : options.cpus * periodUsec,
          period: options.cpus === undefined ? undefined : periodUsec,
        },
      },
      namespaces: namespaces.map((type) => ({ type })),
      uidMappings: userNamespace ? [mapping] : undefined,
      gidMappings: userNamespace ? [mapping] : undefined,
    },
  };
}
