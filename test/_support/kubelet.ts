// SPDX-License-Identifier: Apache-2.0
// A node for pods: runs containers with runc, and binds their volumes the way the kubelet and containerd do.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { codeOf } from '../../src/errors.js';
import { createRoot, rootBinds } from './container-root.js';
import { Guard } from './guard.js';
import { cleanEnvironment, type Finished, program, run } from './lensfs.js';
import { TempDir } from './temp-dir.js';

// biome-ignore lint/suspicious/noExplicitAny: pod specifications
type Json = any;

/** How containerd spells a volume mount's propagation. */
const propagations: Record<string, string> = {
  Bidirectional: 'rshared',
  HostToContainer: 'rslave',
  None: 'rprivate',
};

const cleanUp = `
  for state in "$1"/state/*/; do
    [ -d "$state" ] && runc --root "$1/state" delete --force "$(basename "$state")"
  done
  for procs in /sys/fs/cgroup/*"$2/outside/cgroup.procs" "/sys/fs/cgroup$2/outside/cgroup.procs"; do
    [ -f "$procs" ] && kill -9 $(cat "$procs") 2>/dev/null
  done
  remove_cgroups "$2"
  while umount -l "$1/node/lib/tree" 2>/dev/null; do :; done
  umount -l "$1/node" 2>/dev/null
  rm -rf "$1"`;

/** What the API server has, beside the pods. */
export interface ClusterObjects {
  services?: readonly Json[];
  configMaps?: readonly Json[];
}

/** Its directories are below \`root\`, which is shared as a node's file systems are. */
export class KubernetesNode implements AsyncDisposable {
  readonly #dir: TempDir;
  readonly #guard: Guard;
  readonly #objects: ClusterObjects;
  #made = 0;

  private constructor(dir: TempDir, objects: ClusterObjects) {
    this.#dir = dir;
    this.#objects = objects;
    this.#guard = new Guard(cleanUp, dir.path, this.#cgroup);
  }

  static async create(objects: ClusterObjects = {}): Promise<KubernetesNode> {
    const dir = await TempDir.create();
    const node = new KubernetesNode(dir, objects);
    await mkdir(dir.at('root'));
    createRoot(dir.at('root'));
    await mkdir(node.root);
    for (const args of [
      ['-t', 'tmpfs', 'node', node.root],
      ['--make-shared', node.root],
    ]) {
      const { code, stderr } = await run('mount', args);
      if (code !== 0) throw new Error(stderr);
    }
    return node;
  }

  get root(): string {
    return this.#dir.at('node');
  }

  get tree(): string {
    return this.#dir.at('node', 'lib', 'tree');
  }

  get runDir(): string {
    return this.#dir.at('node', 'run');
  }

  /** Where a daemon goes that outlives its pod; what is there is killed at the end. */
  get outside(): string {
    return `${this.#cgroup}/outside`;
  }

  processesOutside(): number[] {
    const pids = directoriesOf(this.outside).flatMap((directory) =>
      readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number),
    );
    return [...new Set(pids)];
  }

  killOutside(): void {
    for (const pid of this.processesOutside()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // It has ended by itself, without those that were killed before it.
        if (codeOf(error) !== 'ESRCH') throw error;
      }
    }
  }

  async memoryLimitOutside(): Promise<number> {
    const files = directoriesOf(this.outside).flatMap((directory) =>
      ['memory.max', 'memory.limit_in_bytes'].map((file) => `${directory}/${file}`),
    );
    const [file = 'no limit'] = files.filter((path) => existsSync(path));
    return Number(await readFile(file, 'utf8'));
  }

  /** What is left of a container's cgroups. */
  cgroupsOf({ id }: PodContainer): string[] {
    return directoriesOf(`${this.#cgroup}/${id}`);
  }

  get #cgroup(): string {
    return `/${this.#dir.path.split('/').at(-1)}`;
  }

  /** Runs a container of a pod to its end, as an init container or a preStop hook. */
  async runToEnd(spec: Json, container: Json): Promise<Finished> {
    const { argv } = await this.#prepare(spec, container, 'run');
    return await run('runc', argv, { env: cleanEnvironment() });
  }

  /** Starts a container of a pod; it runs until it ends or is killed. */
  async start(
    spec: Json,
    container: Json,
    limits: { memoryBytes?: number } = {},
  ): Promise<PodContainer> {
    const { argv, id } = await this.#prepare(spec, container, 'run', limits);
    return new PodContainer(this.#dir.at('state'), id, argv);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard[Symbol.asyncDispose]();
  }

  async #configMap(name: string): Promise<string> {
    const found = this.#objects.configMaps?.find(({ metadata }) => metadata.name === name);
    if (found === undefined) throw new Error(`configmap "${name}" not found`);
    const directory = this.#dir.at(`configmap-${name}`);
    await mkdir(directory, { recursive: true });
    for (const [file, text] of Object.entries(found.data))
      await writeFile(`${directory}/${file}`, String(text));
    return directory;
  }

  async #prepare(
    spec: Json,
    container: Json,
    command: string,
    limits: { memoryBytes?: number } = {},
  ) {
    this.#made += 1;
    const id = `${this.#cgroup.slice(1)}-${this.#made}`;
    const bundle = this.#dir.at(id);
    await mkdir(bundle);
    const config = await this.#config(spec, container, id, limits);
    await writeFile(`${bundle}/config.json`, JSON.stringify(config));
    const argv = ['--root', this.#dir.at('state'), command, '--bundle', bundle, id];
    return { id, argv };
  }

  async #config(spec: Json, container: Json, id: string, limits: { memoryBytes?: number }) {
    const isPrivileged = container.securityContext?.privileged === true;
    const mounts = await Promise.all(
      container.volumeMounts.map(async (mount: Json) =>
        toOci(mount, await this.#source(spec, mount)),
      ),
    );
    const namespaces = [...(spec.hostPID ? [] : ['pid']), 'mount', 'ipc', 'uts'];
    const own = program.replace('/dist/main.js', '');
    return {
      ociVersion: '1.0.2',
      process: {
        user: { uid: container.securityContext?.runAsUser ?? 0, gid: 0 },
        args: container.command ?? ['/node', program, ...container.args],
        env: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', ...this.#serviceLinks(spec)],
        cwd: '/',
        ...(isPrivileged && { capabilities: await allCapabilities() }),
      },
      root: { path: this.#dir.at('root'), readonly: false },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        isPrivileged
          ? { destination: '/dev', type: 'bind', source: '/dev', options: ['rbind', 'rw'] }
          : { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
        {
          destination: '/sys',
          type: 'sysfs',
          source: 'sysfs',
          options: [isPrivileged ? 'rw' : 'ro'],
        },
        { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
        ...rootBinds().map(({ from, to }) => bind(from, to, ['ro'])),
        ...(isPrivileged ? [bind(own, own, ['ro'])] : []),
        ...mounts,
      ],
      linux: {
        rootfsPropagation: mounts.some((mount: Json) => mount.options.includes('rshared'))
          ? 'rshared'
          : 'rslave',
        cgroupsPath: `${this.#cgroup}/${id}`,
        resources: {
          devices: [{ allow: true, access: 'rwm' }],
          ...(limits.memoryBytes !== undefined && { memory: { limit: limits.memoryBytes } }),
        },
        namespaces: namespaces.map((type) => ({ type })),
      },
    };
  }

  /** Variables of the services of the pod's namespace, all of which are there before the pod. */
  #serviceLinks(spec: Json): string[] {
    if (spec.enableServiceLinks === false) return [];
    return (this.#objects.services ?? []).flatMap(serviceVariables);
  }

  /**
   * Writes the files of a ConfigMap, or checks a hostPath volume as its type says; a directory of that may be made.
   */
  async #source(spec: Json, { name }: Json): Promise<string> {
    const { hostPath, configMap } = spec.volumes.find((volume: Json) => volume.name === name);
    if (configMap !== undefined) return await this.#configMap(configMap.name);
    if (hostPath.type === 'DirectoryOrCreate') await mkdir(hostPath.path, { recursive: true });
    const found = await stat(hostPath.path);
    const isRight = hostPath.type === 'File' ? found.isFile() : found.isDirectory();
    if (!isRight)
      throw new Error(`hostPath type check failed: ${hostPath.path} is not a ${hostPath.type}`);
    return hostPath.path;
  }
}

/** As the kubelet names them for one service. */
export function serviceVariables({ metadata, spec }: Json): string[] {
  const name = metadata.name.toUpperCase().replaceAll('-', '_');
  const address = '10.96.0.1';
  const [first] = spec.ports;
  const at = ({ port, protocol = 'TCP' }: Json) => `${protocol.toLowerCase()}://${address}:${port}`;
  return [
    `${name}_SERVICE_HOST=${address}`,
    `${name}_SERVICE_PORT=${first.port}`,
    `${name}_PORT=${at(first)}`,
    ...spec.ports.flatMap((port: Json) => {
      const variable = `${name}_PORT_${port.port}_${port.protocol ?? 'TCP'}`;
      return [
        `${name}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}=${port.port}`,
        `${variable}=${at(port)}`,
        `${variable}_PROTO=${(port.protocol ?? 'TCP').toLowerCase()}`,
        `${variable}_PORT=${port.port}`,
        `${variable}_ADDR=${address}`,
      ];
    }),
  ];
}

/** A cgroup's directories, in every hierarchy. */
function directoriesOf(cgroup: string): string[] {
  const roots = ['', ...readdirSync('/sys/fs/cgroup')].map((name) => `/sys/fs/cgroup/${name}`);
  return roots.map((root) => root + cgroup).filter((directory) => existsSync(directory));
}

/** A container that runs; what it writes is kept. */
export class PodContainer {
  readonly id: string;
  readonly exited: Promise<number | null>;
  text = '';
  readonly #state: string;
  #isRunning = true;

  constructor(state: string, id: string, argv: readonly string[]) {
    this.#state = state;
    this.id = id;
    const child = spawn('runc', argv, {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.text += chunk;
      });
    }
    this.exited = new Promise((resolve) => {
      child.on('close', (code) => {
        this.#isRunning = false;
        resolve(code);
      });
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Runs a command in it. */
  async exec(...argv: string[]): Promise<Finished> {
    return await run('runc', ['--root', this.#state, 'exec', this.id, ...argv]);
  }

  /** Only its first process, or all there are. */
  async kill(signal: 'TERM' | 'KILL', ...all: '--all'[]): Promise<void> {
    await run('runc', ['--root', this.#state, 'kill', ...all, this.id, signal]);
  }
}

function bind(from: string, to: string, options: readonly string[]): Json {
  return { destination: to, type: 'bind', source: from, options: ['rbind', ...options] };
}

function toOci({ mountPath, readOnly, mountPropagation = 'None' }: Json, source: string): Json {
  return bind(source, mountPath, [readOnly ? 'ro' : 'rw', propagations[mountPropagation] ?? '']);
}

async function allCapabilities(): Promise<Json> {
  const { held } = await capabilities();
  return { bounding: held, effective: held, permitted: held };
}

/** Those this process may give, such as "CAP_CHOWN", and the others: a test machine does not have them all. */
export async function capabilities(): Promise<{ held: string[]; missing: string[] }> {
  const status = await readFile('/proc/self/status', 'utf8');
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]}`);
  const header = await readFile('/usr/include/linux/capability.h', 'utf8');
  const all = [...header.matchAll(/^#define (CAP_[A-Z_]+)\s+(\d+)$/gm)];
  const named = (isHeld: boolean) =>
    all
      .filter(([, , bit]) => ((mask >> BigInt(bit ?? 0)) & 1n) === (isHeld ? 1n : 0n))
      .map(([, name = '']) => name);
  return { held: named(true), missing: named(false) };
}
