// SPDX-License-Identifier: Apache-2.0
// Podman with storage of the tests' own; nothing of the machine's configuration is used.
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { podmanHook } from '../../src/containers/hook-files.js';
import { run } from './lensfs.js';
import type { TempDir } from './temp-dir.js';

/** In a mount namespace of its own: arguments are a directory, where Podman looks for hooks, and a command. */
const enter = `
mount -t tmpfs tmpfs /etc/containers || exit 125
mount -t tmpfs tmpfs /usr/share/containers || exit 125
mkdir -p /etc/cdi /etc/containers/containers.conf.d "$2"
mount --bind "$1/cdi" /etc/cdi || exit 125
mount --bind "$1/hooks.d" "$2" || exit 125
mount --bind "$1/containers.conf.d" /etc/containers/containers.conf.d || exit 125
shift 2
exec "$@"`;

export class Podman {
  readonly #dir: TempDir;
  readonly #root: string;

  private constructor(dir: TempDir, root: string) {
    this.#dir = dir;
    this.#root = root;
  }

  /** Containers of the root file system `root`; it reads `cdi`, `containers.conf.d` and `hooks.d` of `dir`. */
  static async create(dir: TempDir, root: string): Promise<Podman> {
    for (const name of ['cdi', 'containers.conf.d', 'hooks.d']) {
      await mkdir(dir.at(name), { recursive: true });
    }
    return new Podman(dir, root);
  }

  /**
   * Runs a container to its end; gives what it printed.
   *
   * @throws {Error} with what was written to standard error, when it fails
   */
  async output(flags: readonly string[], command: readonly string[]): Promise<string> {
    const [root = '', runRoot = '', tmp = ''] = ['root', 'run', 'tmp'].map((name) => {
      return this.#dir.at('podman', name);
    });
    const own = ['--root', root, '--runroot', runRoot, '--tmpdir', tmp, '--storage-driver', 'vfs'];
    const runtime = ['--cgroup-manager', 'cgroupfs', '--runtime', 'runc'];
    const ulimits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];
    const options = [...ulimits, '--security-opt', 'seccomp=unconfined', '--network', 'none'];
    const argv = ['podman', ...own, ...runtime, 'run', '--rm', ...options, ...flags];
    const { code, stdout, stderr } = await run('unshare', [
      ...['--mount', 'sh', '-c', enter, 'sh', this.#dir.path, dirname(podmanHook.path), ...argv],
      ...['--rootfs', this.#root, ...command],
    ]);
    if (code !== 0) throw new Error(`podman ended with ${code}: ${stderr}`);
    return stdout;
  }
}
