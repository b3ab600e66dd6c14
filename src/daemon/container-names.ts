// SPDX-License-Identifier: Apache-2.0
// What container runtimes call a container, read from the files they keep of it. No runtime is asked.
import { readdir, readFile } from 'node:fs/promises';
import { dockerConfig } from '../containers/docker-config.js';
import { codeOf } from '../errors.js';

export interface ContainerName {
  name: string;
  labels: Record<string, string>;
}

/** Where runtimes keep their files. */
export interface RuntimeDirectories {
  /** Docker: <id>/config.v2.json */
  docker: string;
  /** Podman and CRI-O: <driver>-containers/containers.json and <driver>-containers/<id>/userdata/config.json */
  storage: string;
  /** containerd: <namespace>/<id>/config.json */
  containerd: string;
}

/** `dockerRoot` is Docker's data-root; "auto" is the one that its daemon.json names. */
export async function findRuntimeDirectories(dockerRoot: string): Promise<RuntimeDirectories> {
  const root = dockerRoot === 'auto' ? await configuredDockerRoot() : dockerRoot;
  return {
    docker: `${root}/containers`,
    storage: '/var/lib/containers/storage',
    containerd: '/run/containerd/io.containerd.runtime.v2.task',
  };
}

async function configuredDockerRoot(): Promise<string> {
  const root = fieldsOf(await readJson(dockerConfig.path))['data-root'];
  return typeof root === 'string' && root.startsWith('/') ? root : '/var/lib/docker';
}

/** Of containers/storage, the usual one first. */
const storageDrivers = ['overlay', 'vfs', 'btrfs', 'zfs'];

const idPattern = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/;
const lxcPattern = /^\/lxc(?:\.payload)?[./]([^/]+)/;
const unitPattern = /\/([^/]+)\.(?:service|scope|slice)$/;

/** The runtime's own number of a container, as it is in the path of its cgroup. */
export function containerIdOf(cgroup: string): string | undefined {
  return idPattern.exec(cgroup)?.[0];
}

/** What a container root is called; `undefined` where nobody has given it a name. */
export async function readContainerName(
  cgroup: string,
  directories: RuntimeDirectories,
): Promise<ContainerName | undefined> {
  const id = containerIdOf(cgroup);
  if (id !== undefined) return await readById(id, directories);
  const name = lxcPattern.exec(cgroup)?.[1] ?? unitPattern.exec(cgroup)?.[1];
  return name === undefined ? undefined : { name, labels: {} };
}

async function readById(
  id: string,
  { docker, storage, containerd }: RuntimeDirectories,
): Promise<ContainerName | undefined> {
  return (
    nameOfDocker(await readJson(`${docker}/${id}/config.v2.json`)) ??
    (await readFromStorage(id, storage)) ??
    (await readFromContainerd(id, containerd))
  );
}

/** Podman keeps a container's name apart from its specification, and its labels in a database of its own. */
async function readFromStorage(id: string, storage: string): Promise<ContainerName | undefined> {
  for (const driver of storageDrivers) {
    const spec = await readJson(`${storage}/${driver}-containers/${id}/userdata/config.json`);
    if (spec === undefined) continue;
    const list = await readJson(`${storage}/${driver}-containers/containers.json`);
    const given = Array.isArray(list) ? list.map(fieldsOf).find((entry) => entry['id'] === id) : {};
    const names = given?.['names'];
    return nameOfSpec(spec, Array.isArray(names) ? String(names[0]) : undefined);
  }
  return undefined;
}

async function readFromContainerd(id: string, tasks: string): Promise<ContainerName | undefined> {
  for (const namespace of await listDirectory(tasks)) {
    const name = nameOfSpec(await readJson(`${tasks}/${namespace}/${id}/config.json`));
    if (name !== undefined) return name;
  }
  return undefined;
}

// {"Name": "/web", "Config": {"Labels": {"team": "data"}}}
function nameOfDocker(json: unknown): ContainerName | undefined {
  const { Name: name, Config: config } = fieldsOf(json);
  if (typeof name !== 'string') return undefined;
  return { name: name.replace(/^\//, ''), labels: textsOf(fieldsOf(config)['Labels']) };
}

/** Annotations that hold a name, the first one that is there counts. */
const nameAnnotations = [
  'io.kubernetes.cri.container-name',
  'io.kubernetes.container.name',
  'nerdctl/name',
  'org.opencontainers.image.ref.name',
];

/** An OCI runtime specification: {"hostname": "web", "annotations": {...}}; `given` is a name from elsewhere. */
function nameOfSpec(json: unknown, given?: string): ContainerName | undefined {
  const { annotations, hostname } = fieldsOf(json);
  const labels = textsOf(annotations);
  const pod = labels['io.kubernetes.cri.sandbox-name'];
  const found = nameAnnotations.map((key) => labels[key]).find((value) => value !== undefined);
  const name =
    found ?? given ?? (typeof hostname === 'string' && hostname !== '' ? hostname : undefined);
  if (name === undefined) return undefined;
  return { name: pod === undefined ? name : `${pod}/${name}`, labels };
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) !== undefined) return [];
    throw error;
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    // Half written or not there: the container is shown without a name.
    if (error instanceof SyntaxError || codeOf(error) !== undefined) return undefined;
    throw error;
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textsOf(value: unknown): Record<string, string> {
  const texts = Object.entries(fieldsOf(value)).filter(([, text]) => typeof text === 'string');
  return Object.fromEntries(texts) as Record<string, string>;
}
