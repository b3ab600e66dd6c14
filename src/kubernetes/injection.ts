// SPDX-License-Identifier: Apache-2.0
// Pod -> the patch that gives it the view. Pure.
import { posix } from 'node:path';
import {
  hostPath,
  hostPathType,
  type InjectableFile,
  injectableFiles,
  mountPath,
  volumeName,
} from './files.js';
import { append, type PatchOperation } from './json-patch.js';
import {
  type Container,
  type ContainerList,
  containerLists,
  type Pod,
  type Volume,
} from './pod.js';
import type { FileSelection } from './selection.js';
import { skipContainer } from './skip.js';

export interface InjectionOptions {
  /** The public tree on the nodes. */
  tree: string;
  selection: FileSelection;
  /** Names of ephemeral containers to give the view; with it, nothing else of the pod may change. */
  onlyEphemeral?: ReadonlySet<string>;
}

export interface Injection {
  patch: PatchOperation[];
  /** What was left out, such as "app:/proc/meminfo (mounted already)". */
  exceptions: string[];
  /** Names of the containers that have the view, or will. */
  containers: string[];
  /** Names of the pod's volumes that are ours, in order. */
  volumes: string[];
}

/** Works out what is missing; a second call on the patched pod finds nothing to do. */
export function injectView(pod: Pod, options: InjectionOptions): Injection {
  const volumes = new VolumeSet(pod.spec.volumes ?? [], options.tree);
  const found: Injection = { patch: [], exceptions: [], containers: [], volumes: [] };
  const mounts: PatchOperation[] = [];
  for (const list of containerLists) {
    for (const [index, container] of (pod.spec[list] ?? []).entries()) {
      if (!isConcerned(list, container, options)) continue;
      mounts.push(...mountFiles({ list, index, container }, volumes, options, found));
    }
  }
  found.volumes = volumes.ours();
  found.patch = [...append(['spec', 'volumes'], pod.spec.volumes, volumes.added), ...mounts];
  return found;
}

function isConcerned(
  list: ContainerList,
  { name }: Container,
  { onlyEphemeral }: InjectionOptions,
): boolean {
  if (onlyEphemeral === undefined) return true;
  return list === 'ephemeralContainers' && onlyEphemeral.has(name);
}

interface Place {
  list: ContainerList;
  index: number;
  container: Container;
}

function mountFiles(
  { list, index, container }: Place,
  volumes: VolumeSet,
  { selection, onlyEphemeral }: InjectionOptions,
  found: Injection,
): PatchOperation[] {
  const files = selection.filesOf(container.name);
  const skipped = files.length === 0 ? undefined : skipContainer(container);
  if (skipped !== undefined) {
    found.exceptions.push(`${container.name} (${skipped})`);
    return [];
  }
  if (
    onlyEphemeral !== undefined &&
    files.length > 0 &&
    !files.some((file) => volumes.find(file))
  ) {
    found.exceptions.push(`${container.name} (the pod has no volumes of lensfs)`);
    return [];
  }
  const added: object[] = [];
  let present = 0;
  const mounted = container.volumeMounts?.map((mount) => ({
    name: mount.name,
    path: normalPath(mount.mountPath),
  }));
  for (const file of files) {
    const target = mountPath(file);
    const inTheWay = mounted?.find(({ path }) => overlap(path, target));
    if (inTheWay !== undefined) {
      if (volumes.isOurs(inTheWay.name, file)) present += 1;
      else found.exceptions.push(`${container.name}:${target} (mounted already)`);
      continue;
    }
    const name = onlyEphemeral === undefined ? volumes.nameFor(file) : volumes.find(file);
    // A running pod cannot get new volumes.
    if (name === undefined) found.exceptions.push(`${container.name}:${target} (no volume)`);
    else added.push(volumeMount(name, target));
  }
  if (added.length + present > 0) found.containers.push(container.name);
  return append(['spec', list, index, 'volumeMounts'], container.volumeMounts, added);
}

/** What a container's list of mounts gets for one file. */
function volumeMount(name: string, target: string): object {
  // HostToContainer: a new layer that the agent stacks on the file reaches the running container.
  return { name, mountPath: target, readOnly: true, mountPropagation: 'HostToContainer' };
}

/** Without "." and "..", and without a slash at the end. */
function normalPath(path: string): string {
  return posix.join('/', path).replace(/(.)\/$/, '$1');
}

/** Whether one of two mounts would hide the other, or a part of it. */
function overlap(path: string, target: string): boolean {
  return path === '/' || path === target || isBelow(target, path) || isBelow(path, target);
}

function isBelow(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

/** The pod's volumes and those it needs besides. */
class VolumeSet {
  readonly added: object[] = [];
  readonly #tree: string;
  /** Name to hostPath. */
  readonly #sources: Map<string, string | undefined>;
  /** hostPath to the first name. */
  readonly #names = new Map<string, string>();

  constructor(existing: readonly Volume[], tree: string) {
    this.#tree = tree;
    this.#sources = new Map(existing.map(({ name, hostPath }) => [name, hostPath?.path]));
    for (const [name, path] of this.#sources) {
      if (path !== undefined && !this.#names.has(path)) this.#names.set(path, name);
    }
  }

  isOurs(name: string, file: InjectableFile): boolean {
    return this.#sources.get(name) === hostPath(this.#tree, file);
  }

  ours(): string[] {
    return injectableFiles
      .map((file) => this.find(file))
      .filter((name) => name !== undefined)
      .sort();
  }

  /** A volume of this file that is there already, under whatever name. */
  find(file: InjectableFile): string | undefined {
    return this.#names.get(hostPath(this.#tree, file));
  }

  /** The same; makes one when there is none. */
  nameFor(file: InjectableFile): string {
    const found = this.find(file);
    if (found !== undefined) return found;
    let name = volumeName(file);
    for (let n = 2; this.#sources.has(name); n += 1) name = `${volumeName(file)}-${n}`;
    const path = hostPath(this.#tree, file);
    this.#sources.set(name, path);
    this.#names.set(path, name);
    this.added.push({ name, hostPath: { path, type: hostPathType(file) } });
    return name;
  }
}
