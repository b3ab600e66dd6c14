// SPDX-License-Identifier: Apache-2.0
// A mount namespace that looks like a host of its own: /etc, /run and /var/lib are this machine's, but what is written
// there stays inside. lensfs and container engines run in it at their usual places, and commands as people type them.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { copyBusybox } from './container-root.js';
import { endsWithThis } from './ends-with-this.js';
import { Guard } from './guard.js';
import { hookProgram } from './hook.js';
import { cleanEnvironment, type Finished, program, run } from './lensfs.js';
import { TempDir } from './temp-dir.js';
import { waitUntil } from './wait.js';

const checkout = dirname(dirname(program));
const ownDirectories = ['docker', 'containers', 'containerd', 'lxc', 'cni'];

// The overlays' upper directories are in memory that is mounted in this namespace only.
const makeHost = `
  set -e
  mount -t tmpfs tmpfs "$1/written"
  for name in etc var/lib usr/share; do
    mkdir -p "$1/written/$name" "$1/written/changing/$name"
    mount -t overlay -o "lowerdir=/$name,upperdir=$1/written/$name,workdir=$1/written/changing/$name" overlay "/$name"
  done
  mount -t tmpfs tmpfs /run
  mkdir -p /run/lock
  for name in ${ownDirectories.join(' ')}; do
    mkdir -p "/var/lib/$name"
    mount -t tmpfs tmpfs "/var/lib/$name"
  done
  rm -rf /etc/docker /etc/containerd /etc/cdi /etc/lensfs /var/lib/lensfs /usr/share/containers/oci
  mkdir -p /etc/containers
  printf '[containers]\\ncgroupns = "private"\\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\\n[engine]\\ncgroup_manager = "cgroupfs"\\nruntime = "runc"\\n' >/etc/containers/containers.conf
  printf '[storage]\\ndriver = "vfs"\\nrunroot = "/run/containers/storage"\\ngraphroot = "/var/lib/containers/storage"\\n' >/etc/containers/storage.conf
  printf '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
  readlink /proc/self/ns/mnt >"$1/namespace"
  echo ready
  exec sleep 1000000`;

// Whatever is still in the namespace ends, and with it the namespace and all its mounts.
const cleanUp = `
  for procs in $(find /sys/fs/cgroup -path "*$1/*" -name cgroup.procs); do
    kill -9 $(cat "$procs") 2>/dev/null
  done
  namespace=$(cat "$2/namespace" 2>/dev/null)
  for process in /proc/[0-9]*; do
    [ "$namespace" ] && [ "$(readlink "$process/ns/mnt" 2>/dev/null)" = "$namespace" ] || continue
    kill -9 "\${process#/proc/}" 2>/dev/null
  done
  remove_cgroups "$1"
  rm -rf "$2"`;

// This machine's init is not always systemd; what a unit of ours starts is started all the same.
const systemctl = (dir: string) => `#!/bin/sh
set -e
# start NAME PROBE COMMAND: returns when it answers.
start() {
  $3 >>"${dir}/$1.log" 2>&1 </dev/null &
  echo $! >"${dir}/$1.pid"
  until $2 >/dev/null 2>&1; do kill -0 $!; sleep 0.1; done
}
case "$*" in
  'reload docker') kill -HUP "$(cat ${dir}/docker.pid)" ;;
  'restart containerd')
    kill "$(cat ${dir}/containerd.pid)"
    while kill -0 "$(cat ${dir}/containerd.pid)" 2>/dev/null; do sleep 0.1; done
    start containerd 'ctr version' containerd ;;
  'enable --now lensfs' | 'start lensfs')
    lensfs status >/dev/null 2>&1 || start lensfs 'lensfs status' 'lensfs serve' ;;
  'stop lensfs') exec lensfs stop ;;
  'reload lensfs') exec lensfs reload ;;
  'restart lensfs')
    kill "$(cat ${dir}/lensfs.pid)"
    while kill -0 "$(cat ${dir}/lensfs.pid)" 2>/dev/null; do sleep 0.1; done
    start lensfs 'lensfs status' 'lensfs serve' ;;
  *) echo "systemctl: this host does not know how to \\"$*\\"" >&2; exit 64 ;;
esac
`;

/** A block of commands, or a service's start. */
const patienceMs = 300_000;

export interface HostParts {
  docker?: boolean;
  /** Whether lensfs serves from the beginning. */
  serves?: boolean;
  /** Arguments of `lensfs serve`. */
  args?: readonly string[];
}

/** Disposing ends everything that runs in it. */
export class PrivateHost implements AsyncDisposable {
  readonly dir: TempDir;
  readonly cgroupParent: string;
  readonly #holder: ChildProcess;
  readonly #services = new Map<string, ChildProcess>();
  readonly #guard: Guard;

  private constructor(dir: TempDir) {
    this.dir = dir;
    this.cgroupParent = `/${basename(dir.path)}`;
    mkdirSync(dir.at('written'));
    const [first = '', ...rest] = [
      ...endsWithThis('KILL'),
      ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', makeHost, 'sh', dir.path],
    ];
    this.#holder = spawn(first, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#guard = new Guard(cleanUp, this.cgroupParent, dir.path);
  }

  static async start({ docker = false, serves = true, args = [] }: HostParts = {}) {
    const host = new PrivateHost(await TempDir.create());
    try {
      host.#writePrograms();
      if (host.#holder.stdout === null) throw new Error('no pipe');
      await once(host.#holder.stdout, 'data');
      if (serves) await host.serve(args);
      if (docker) await host.#startDocker();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs a shell script as root of this host. */
  async sh(script: string): Promise<Finished> {
    const [first = '', ...rest] = this.#enter('sh', '-euc', script);
    return await run(first, rest, { env: this.#environment(), timeout: patienceMs });
  }

  /** The same; gives what it printed. @throws {Error} with its standard error when it fails */
  async output(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.sh(script);
    if (code !== 0) throw new Error(`"${script}" ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  async serve(args: readonly string[] = []): Promise<void> {
    this.#startService('lensfs', program, 'serve', ...args);
    await this.#answers('lensfs', 'lensfs status');
  }

  async startContainerd(): Promise<void> {
    this.#startService('containerd', 'containerd');
    await this.#answers('containerd', 'ctr version');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#services.has('docker')) {
      await this.sh('docker ps --all --quiet | xargs --no-run-if-empty docker rm --force');
    }
    for (const child of [...this.#services.values()].reverse()) await end(child);
    this.#holder.kill('SIGKILL');
    await this.#guard[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }

  async #startDocker(): Promise<void> {
    const flags = [
      ...['--bridge', 'none', '--iptables=false', '--ip-masq=false', '--storage-driver', 'vfs'],
      ...['--exec-opt', 'native.cgroupdriver=cgroupfs', '--cgroup-parent', this.cgroupParent],
    ];
    this.#startService('docker', '/usr/sbin/dockerd', ...flags);
    await this.#answers('docker', 'docker version');
    copyBusybox(this.dir.at('root'));
    await this.output(`tar -C ${this.dir.at('root')} -c . | docker import - debian:12`);
  }

  #startService(name: string, ...command: string[]): void {
    const log = openSync(this.dir.at(`${name}.log`), 'a');
    const [first = '', ...rest] = [...endsWithThis('TERM'), ...this.#enter(...command)];
    const child = spawn(first, rest, {
      stdio: ['ignore', log, log],
      env: this.#environment(),
    });
    this.#services.set(name, child);
    writeFileSync(this.dir.at(`${name}.pid`), `${child.pid}\n`);
  }

  async #answers(name: string, command: string): Promise<void> {
    const answers = async () => {
      if (this.#services.get(name)?.exitCode === null) return (await this.sh(command)).code === 0;
      throw new Error(`${name}: ${await readFile(this.dir.at(`${name}.log`), 'utf8')}`);
    };
    await waitUntil(`${name} answers`, answers, patienceMs);
  }

  #enter(...command: string[]): string[] {
    return [
      'nsenter',
      `--mount=/proc/${this.#holder.pid}/ns/mnt`,
      `--wd=${checkout}`,
      '--',
      ...command,
    ];
  }

  #environment(): NodeJS.ProcessEnv {
    const path = [this.dir.at('bin'), dirname(process.execPath), process.env['PATH']];
    return cleanEnvironment({ PATH: path.join(':'), HOME: this.dir.path });
  }

  #writePrograms(): void {
    const bin = this.dir.at('bin');
    mkdirSync(bin);
    symlinkSync(program, `${bin}/lensfs`);
    for (const name of ['lensfs-hook', 'lensfs-runtime']) {
      symlinkSync(`${dirname(hookProgram)}/${name}`, `${bin}/${name}`);
    }
    writeFileSync(`${bin}/systemctl`, systemctl(this.dir.path));
    chmodSync(`${bin}/systemctl`, 0o755);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await ended;
  clearTimeout(killer);
}
