// SPDX-License-Identifier: Apache-2.0
// A Docker daemon of the tests' own: nothing of the machine's Docker is used or seen.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { createRoot } from './container-root.js';
import { Guard } from './guard.js';
import { waitUntil } from './wait.js';

const runFile = promisify(execFile);

// Debian's, whatever else is on the PATH.
export const dockerDaemon = '/usr/sbin/dockerd';
export const dockerClient = '/usr/bin/docker';

/** It is slow to start where others are at work. */
const startMs = 60_000;

// Its containers end with it, but their cgroups and files stay.
const cleanUp = `
  seconds=0
  while grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status" && [ $seconds -lt 30 ]; do
    sleep 1
    seconds=$((seconds + 1))
  done
  remove_cgroups "$2"
  umount -l "$3"/exec/netns/* "$3"/data/*/*/merged 2>/dev/null
  rm -rf "$3"`;

/** What a test needs to know to run containers. */
export interface DockerEndpoint {
  readonly socket: string;
  readonly image: string;
  /** The cgroup, in every hierarchy, of which each container's is a child. */
  readonly cgroupParent: string;
  /** Its daemon.json, which it reads again on SIGHUP. */
  readonly configFile: string;
  /** Where it keeps its containers' files, among others. */
  readonly dataRoot: string;
  readonly pid: number;
}

export interface DockerOptions {
  /** Copies of all files, which work everywhere, or what Docker finds best here, for images that are large. */
  storage?: 'plain' | 'best';
  /** More of dockerd's own. */
  flags?: readonly string[];
}

/** A running daemon with one image; disposing removes its containers and everything else of it. */
export class PrivateDocker implements AsyncDisposable {
  readonly endpoint: DockerEndpoint;
  readonly #dir: string;
  readonly #child: ChildProcess;
  readonly #guard: Guard;

  private constructor(dir: string, { storage = 'plain', flags = [] }: DockerOptions) {
    this.#dir = dir;
    const log = openSync(join(dir, 'log'), 'a');
    const socket = join(dir, 'docker.sock');
    const cgroupParent = `/${basename(dir)}`;
    const config = join(dir, 'daemon.json'); // instead of /etc/docker/daemon.json
    writeFileSync(config, '{}');
    const dataRoot = join(dir, 'data');
    const argv = [
      ...['--data-root', dataRoot, '--exec-root', join(dir, 'exec')],
      ...['--pidfile', join(dir, 'pid'), '--host', `unix://${socket}`],
      ...['--bridge', 'none', '--iptables=false', '--ip-masq=false'],
      ...(storage === 'plain' ? ['--storage-driver', 'vfs'] : []),
      ...['--exec-opt', 'native.cgroupdriver=cgroupfs'],
      ...['--cgroup-parent', cgroupParent, '--config-file', config],
      ...flags,
    ];
    // Ends with this process, also when that is killed.
    this.#child = spawn('setpriv', ['--pdeathsig', 'TERM', dockerDaemon, ...argv], {
      stdio: ['ignore', log, log],
    });
    this.endpoint = {
      ...{ socket, image: 'lensfs-test', cgroupParent, configFile: config, dataRoot },
      pid: this.#child.pid ?? 0,
    };
    this.#guard = new Guard(cleanUp, `${this.#child.pid}`, cgroupParent, dir);
  }

  /** Starts one in a new directory and waits until it answers. */
  static async start(options: DockerOptions = {}): Promise<PrivateDocker> {
    const dir = await mkdtemp(join(tmpdir(), 'lensfs-docker-'));
    const docker = new PrivateDocker(dir, options);
    try {
      await waitUntil('docker answers', () => docker.#answers(), startMs);
      await docker.#importImage();
      return docker;
    } catch (error) {
      const log = await readFile(join(dir, 'log'), 'utf8').catch(() => '');
      await docker[Symbol.asyncDispose]();
      throw new Error(`Cannot start dockerd: ${log.slice(-2000)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#removeContainers().catch(() => {}); // it may have ended
    await this.#stop();
    await this.#guard[Symbol.asyncDispose]();
  }

  async #docker(...args: string[]): Promise<string> {
    const { socket } = this.endpoint;
    return (await runFile(dockerClient, ['--host', `unix://${socket}`, ...args])).stdout;
  }

  async #answers(): Promise<boolean> {
    if (this.#child.exitCode !== null) throw new Error('dockerd has ended');
    return await this.#docker('version').then(
      () => true,
      () => false,
    );
  }

  async #importImage(): Promise<void> {
    const root = join(this.#dir, 'root');
    await mkdir(root);
    createRoot(root);
    const tar = join(this.#dir, 'root.tar');
    await runFile('tar', ['-C', root, '-cf', tar, '.']);
    await this.#docker('import', tar, this.endpoint.image);
  }

  async #removeContainers(): Promise<void> {
    const ids = (await this.#docker('ps', '--all', '--quiet')).split('\n').filter(Boolean);
    if (ids.length > 0) await this.#docker('rm', '--force', ...ids);
  }

  async #stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
    await ended;
    clearTimeout(killer);
  }
}
