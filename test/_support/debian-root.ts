// SPDX-License-Identifier: Apache-2.0
// A fresh Debian with nothing but what every Debian has, and this machine's Node.js and npm in it: no compiler, no
// libfuse. What runs in it has mounts and processes of its own, which end with it.
import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Finished, run } from './lensfs.js';
import { patience } from './patience.js';
import type { TempDir } from './temp-dir.js';

const debootTimeoutMs = 600_000 * patience;
const scriptTimeoutMs = 900_000 * patience;

/** Where npm is in it. */
const npmDirectory = 'usr/lib/node_modules/npm';

/** Run by unshare(1): `$1` is the root, `$2` the script. */
const enter = `set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/run"
mount --make-rprivate "$1"
exec chroot "$1" /bin/sh -ec "$2"`;

export class DebianRoot {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Made in `dir`, which removes it. */
  static async create(dir: TempDir): Promise<DebianRoot> {
    const root = new DebianRoot(dir.at('debian'));
    const packages = 'libstdc++6,init-system-helpers';
    const options = ['--variant=essential', `--include=${packages}`, '--quiet'];
    await succeed('mmdebstrap', [...options, await codename(), root.path], debootTimeoutMs);
    await root.#addNode();
    return root;
  }

  at(path: string): string {
    return join(this.path, path);
  }

  /** Runs a script as root in it, to its end. */
  async script(text: string, env: Record<string, string> = {}): Promise<Finished> {
    const isolation = ['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
    return await run('unshare', [...isolation, 'sh', '-ec', enter, 'enter', this.path, text], {
      timeout: scriptTimeoutMs,
      killSignal: 'SIGKILL', // unshare(1) takes no other while it waits
      env: { ...(await this.#environment()), ...env },
    });
  }

  async #addNode(): Promise<void> {
    await cp(process.execPath, this.at('usr/bin/node'));
    const { stdout } = await succeed('sh', ['-c', 'readlink -f "$(command -v npm)"']);
    const npm = dirname(dirname(stdout.trim()));
    await mkdir(dirname(this.at(npmDirectory)), { recursive: true });
    await cp(npm, this.at(npmDirectory), { recursive: true });
    await rm(this.at('etc/resolv.conf'), { force: true });
    await cp('/etc/resolv.conf', this.at('etc/resolv.conf'), { dereference: true });
    const certificates = process.env['NODE_EXTRA_CA_CERTS'];
    if (certificates === undefined) return;
    await mkdir(dirname(this.at(certificates)), { recursive: true });
    await cp(certificates, this.at(certificates), { dereference: true });
  }

  /** This machine's registry and certificates, and nothing else of it. */
  async #environment(): Promise<NodeJS.ProcessEnv> {
    const { stdout } = await succeed('npm', ['config', 'get', 'registry']);
    const certificates = process.env['NODE_EXTRA_CA_CERTS'];
    return {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      npm_config_registry: stdout.trim(),
      ...(certificates !== undefined && { NODE_EXTRA_CA_CERTS: certificates }),
    };
  }
}

/** For scripts: npm, and a wait until a command succeeds. */
export const scriptFunctions = `
npm() { node /${npmDirectory}/bin/npm-cli.js --no-audit --no-fund --no-update-notifier --foreground-scripts "$@"; }
wait_for() { n=0; until "$@" >/dev/null 2>&1; do n=$((n + 1)); [ $n -lt 600 ] || { "$@"; return 1; }; sleep 0.1; done; }
`;

async function codename(): Promise<string> {
  const { stdout } = await succeed('sh', ['-c', '. /etc/os-release && echo "$VERSION_CODENAME"']);
  return stdout.trim();
}

/** @throws {Error} with what it said on standard error */
export async function succeed(
  command: string,
  args: readonly string[],
  timeout = scriptTimeoutMs,
): Promise<Finished> {
  const finished = await run(command, args, { timeout });
  if (finished.code === 0) return finished;
  throw new Error(`${command} ${args.join(' ')} failed: ${finished.stderr.slice(-2_000)}`);
}
