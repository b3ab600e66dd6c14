// SPDX-License-Identifier: Apache-2.0
// Containers of LXC: Debian's programs, a root file system of ours, nothing that is downloaded.
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { type Argv, Container } from './container.js';
import { copyBusybox } from './container-root.js';
import { Guard } from './guard.js';
import { run } from './lensfs.js';
import { TempDir } from './temp-dir.js';

const periodUsec = 100_000;
const firstUnprivilegedId = 200_000;

// LXC keeps a lock file per container below the path of its directory.
const cleanUp = `
  for config in "$1"/lxc/*/config; do
    [ ! -e "$config" ] || lxc-stop -P "$1/lxc" -n "$(basename "$(dirname "$config")")" -k 2>/dev/null
  done
  remove_cgroups "$2"
  rm -rf "/run/lxc/lock$1" "$1"`;

export interface LxcOptions {
  memoryBytes: number;
  cpus: number;
  userNamespace?: boolean;
  /** More lines of its configuration. */
  lines?: readonly string[];
}

/** A place for containers; disposing removes them all. */
export class Lxc implements AsyncDisposable {
  readonly dir: TempDir;
  readonly #guard: Guard;
  #made = 0;

  private constructor(dir: TempDir) {
    this.dir = dir;
    this.#guard = new Guard(cleanUp, dir.path, this.#cgroup);
  }

  static async create(): Promise<Lxc> {
    const dir = await TempDir.create();
    await chmod(dir.path, 0o755); // root of a user namespace is to come in
    copyBusybox(dir.at('root'));
    return new Lxc(dir);
  }

  /**
   * Makes and starts a container.
   *
   * @throws {Error} with what lxc-start has written
   */
  async start(options: LxcOptions): Promise<LxcContainer> {
    this.#made += 1;
    const name = `c${this.#made}`;
    await mkdir(this.dir.at('lxc', name), { recursive: true });
    await writeFile(this.dir.at('lxc', name, 'config'), this.#config(options));
    const container = new LxcContainer(name, this.dir.at('lxc'));
    const { code, stderr } = await run('lxc-start', [...container.flags, '--daemon']);
    if (code !== 0) throw new Error(`Cannot start a container of LXC: ${stderr}`);
    return container;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard[Symbol.asyncDispose]();
  }

  /** In every hierarchy. */
  get #cgroup(): string {
    return `/${this.dir.path.split('/').at(-1)}`;
  }

  #config({ memoryBytes, cpus, userNamespace = false, lines = [] }: LxcOptions): string {
    const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
    const limits = isV2
      ? [
          `lxc.cgroup2.memory.max = ${memoryBytes}`,
          `lxc.cgroup2.cpu.max = ${cpus * periodUsec} ${periodUsec}`,
        ]
      : [
          `lxc.cgroup.memory.limit_in_bytes = ${memoryBytes}`,
          `lxc.cgroup.cpu.cfs_period_us = ${periodUsec}`,
          `lxc.cgroup.cpu.cfs_quota_us = ${cpus * periodUsec}`,
        ];
    const ids = ['u', 'g'].map((kind) => `lxc.idmap = ${kind} 0 ${firstUnprivilegedId} 65536`);
    return [
      `lxc.rootfs.path = dir:${this.dir.at('root')}`,
      'lxc.init.cmd = /bin/sleep 1000000',
      'lxc.net.0.type = empty',
      'lxc.apparmor.profile = unconfined',
      'lxc.mount.auto = proc:mixed sys:mixed',
      `lxc.cgroup.dir = ${this.#cgroup.slice(1)}`,
      ...limits,
      ...(userNamespace ? ids : []),
      ...lines,
      '',
    ].join('\n');
  }
}

/** A running container; disposing kills it. */
export class LxcContainer extends Container {
  readonly name: string;
  readonly flags: readonly string[];

  constructor(name: string, path: string) {
    super();
    this.name = name;
    this.flags = ['-P', path, '-n', name];
  }

  override inside(argv: readonly string[]): Argv {
    return ['lxc-attach', ...this.flags, '--', ...argv];
  }

  override async pid(): Promise<number> {
    const { stdout } = await run('lxc-info', [...this.flags, '--pid', '--no-humanize']);
    return Number(stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('lxc-stop', [...this.flags, '--kill']);
  }
}
