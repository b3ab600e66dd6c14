// SPDX-License-Identifier: Apache-2.0
// A containerd of a test's own, asked for pods over the Container Runtime Interface as the kubelet asks.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { credentials, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { copyBusybox } from './container-root.js';
import { Guard } from './guard.js';
import { run } from './lensfs.js';
import { writeOciImage } from './oci-image.js';
import { TempDir } from './temp-dir.js';
import { waitUntil } from './wait.js';

const image = 'lensfs.test/busybox:1';
const service = 'runtime.v1.RuntimeService';

// Its shims outlive it; they and it are known by their arguments. Of the pods' processes the cgroups know. What looks
// for them gets the words from its standard input, since it would find itself otherwise.
const cleanUp = `
  while pids=$(printf %s "$1/" | grep -lsFf - /proc/[0-9]*/cmdline | cut -d/ -f3) && [ "$pids" ]; do
    kill -9 $pids 2>/dev/null
    sleep 0.05
  done
  for procs in $(find /sys/fs/cgroup -path "*$2/*" -name cgroup.procs); do
    kill -9 $(cat "$procs") 2>/dev/null
  done
  awk -v d="$1/" 'index($5, d) == 1 {print $5}' /proc/self/mountinfo | tac | xargs -r umount -l
  remove_cgroups "$2"
  rm -rf "$1"`;

export interface CriMount {
  host_path: string;
  container_path: string;
  readonly: boolean;
  propagation: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER';
}

/** Limits as of a pod's `resources.limits`; without one there is none. */
export interface CriResources {
  memoryBytes?: number;
  cpus?: number;
}

export interface CriContainer extends CriResources {
  mounts?: readonly CriMount[];
}

export interface CriPod {
  sandboxId: string;
  /** In the order of `containers`. */
  containerIds: string[];
}

export interface PodOptions {
  /** The handler of its RuntimeClass. */
  handler?: string;
  hostPid?: boolean;
  containers: readonly CriContainer[];
}

type Reply = Record<string, unknown>;

export class CriNode implements AsyncDisposable {
  readonly dir: TempDir;
  readonly #guard: Guard;
  readonly #call: (method: string, request: object) => Promise<Reply>;
  readonly #close: () => void;
  #containerd: ChildProcess | undefined;
  #made = 0;

  private constructor(dir: TempDir) {
    this.dir = dir;
    this.#guard = new Guard(cleanUp, dir.path, this.cgroup);
    const definition = loadSync(fileURLToPath(new URL('cri.proto', import.meta.url)), {
      keepCase: true,
      longs: Number,
      enums: String,
      defaults: true,
    })[service];
    const Client = makeGenericClientConstructor(definition as never, service);
    const client = new Client(`unix:${dir.at('containerd.sock')}`, credentials.createInsecure());
    this.#close = () => client.close();
    this.#call = (method, request) => {
      return new Promise((resolve, reject) => {
        client[method]?.(request, (error: ServiceError | null, reply: never) => {
          if (error === null) resolve(reply);
          else reject(new Error(`${method}: ${error.details}`, { cause: error }));
        });
      });
    };
  }

  /** `configure` adds to the text of its config.toml. */
  static async start(configure: (file: string) => Promise<void>): Promise<CriNode> {
    const node = new CriNode(await TempDir.create());
    try {
      await node.#start(configure);
      return node;
    } catch (error) {
      const log = await readFile(node.dir.at('log'), 'utf8').catch(() => '');
      await node[Symbol.asyncDispose]();
      throw new Error(`Cannot start containerd: ${log.slice(-3000)}`, { cause: error });
    }
  }

  /** Above the cgroups of its pods. */
  get cgroup(): string {
    return `/${this.dir.path.split('/').at(-1)}`;
  }

  /** Starts its containers, which sleep. */
  async startPod({ handler = '', hostPid = false, containers }: PodOptions): Promise<CriPod> {
    this.#made += 1;
    const name = `pod-${this.#made}`;
    const namespaces = { network: 'NODE', pid: hostPid ? 'NODE' : 'CONTAINER' };
    const security_context = { namespace_options: namespaces };
    const config = {
      metadata: { name, uid: name, namespace: 'default' },
      log_directory: this.dir.at('logs'),
      linux: { cgroup_parent: `${this.cgroup}/${name}`, security_context },
    };
    const sandbox = await this.#call('RunPodSandbox', { config, runtime_handler: handler });
    const pod: CriPod = { sandboxId: String(sandbox['pod_sandbox_id']), containerIds: [] };
    for (const [index, { mounts = [], ...limits }] of containers.entries()) {
      const { container_id } = await this.#call('CreateContainer', {
        pod_sandbox_id: pod.sandboxId,
        config: {
          metadata: { name: `container-${index}` },
          image: { image },
          mounts,
          log_path: `${name}-${index}.log`,
          linux: { resources: resourcesOf(limits), security_context },
        },
        sandbox_config: config,
      });
      await this.#call('StartContainer', { container_id });
      pod.containerIds.push(String(container_id));
    }
    return pod;
  }

  /** Standard output of a command in a container of a pod, which is the first unless another one is meant. */
  async exec({ containerIds }: CriPod, cmd: readonly string[], index = 0): Promise<string> {
    const request = { container_id: containerIds[index], cmd, timeout: 20 };
    const { stdout, stderr, exit_code } = await this.#call('ExecSync', request);
    if (exit_code !== 0) throw new Error(`${cmd.join(' ')} ended with ${exit_code}: ${stderr}`);
    return String(stdout);
  }

  /** As the kubelet resizes a pod in place. */
  async resize({ containerIds: [container_id] }: CriPod, limits: CriResources): Promise<void> {
    await this.#call('UpdateContainerResources', { container_id, linux: resourcesOf(limits) });
  }

  /** As the kubelet deletes a pod without a grace period. */
  async deletePod({ sandboxId, containerIds }: CriPod): Promise<void> {
    for (const container_id of containerIds) {
      await this.#call('StopContainer', { container_id, timeout: 0 });
      await this.#call('RemoveContainer', { container_id });
    }
    await this.#call('StopPodSandbox', { pod_sandbox_id: sandboxId });
    await this.#call('RemovePodSandbox', { pod_sandbox_id: sandboxId });
  }

  /** With its configuration read again; pods run on. */
  async restart(): Promise<void> {
    if (this.#containerd === undefined) throw new Error('containerd does not run');
    const ended = once(this.#containerd, 'exit');
    this.#containerd.kill('SIGTERM');
    await ended;
    await this.#serve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#guard[Symbol.asyncDispose]();
  }

  async #start(configure: (file: string) => Promise<void>): Promise<void> {
    const { dir } = this;
    copyBusybox(dir.at('root'));
    for (const name of ['cni', 'logs', 'image']) await mkdir(dir.at(name));
    const file = dir.at('config.toml');
    await writeFile(file, this.#config());
    await configure(file);
    await this.#serve();
    const entrypoint = ['/bin/sleep', '1000000'];
    const tar = await writeOciImage(dir.at('image'), {
      name: image,
      root: dir.at('root'),
      entrypoint,
    });
    const ctr = ['--address', dir.at('containerd.sock'), '--namespace', 'k8s.io'];
    const imported = ['image', 'import', '--snapshotter', 'native', tar];
    const { code, stderr } = await run('ctr', [...ctr, ...imported]);
    if (code !== 0) throw new Error(stderr);
  }

  async #serve(): Promise<void> {
    const ending = 'exec setpriv --pdeathsig TERM containerd --config "$1" >>"$2" 2>&1';
    const argv = ['-c', ending, 'sh', this.dir.at('config.toml'), this.dir.at('log')];
    this.#containerd = spawn('sh', argv, { stdio: 'ignore' });
    await waitUntil('containerd answers', () =>
      this.#call('Version', {}).then(
        () => true,
        () => false,
      ),
    );
  }

  #config(): string {
    const { dir } = this;
    const cri = 'plugins."io.containerd.grpc.v1.cri"';
    // What a test machine may not have, or must not be asked to change, is off.
    return `version = 2
root = "${dir.at('containerd')}"
state = "${dir.at('state')}"
[grpc]
  address = "${dir.at('containerd.sock')}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${dir.at('opt')}"
[${cri}]
  sandbox_image = "${image}"
  stream_server_port = "0"
  disable_apparmor = true
  disable_hugetlb_controller = true
  restrict_oom_score_adj = true
  [${cri}.cni]
    bin_dir = "${dir.at('cni')}"
    conf_dir = "${dir.at('cni')}"
  [${cri}.containerd]
    snapshotter = "native"
    default_runtime_name = "runc"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`;
  }
}

const cpuPeriodUsec = 100_000;

function resourcesOf({ memoryBytes = 0, cpus }: CriResources): object {
  const cpu = cpus && { cpu_period: cpuPeriodUsec, cpu_quota: cpus * cpuPeriodUsec };
  return { memory_limit_in_bytes: memoryBytes, ...cpu };
}
