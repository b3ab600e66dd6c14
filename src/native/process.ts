// SPDX-License-Identifier: Apache-2.0
// What Node.js has no function for. Every function throws NativeError with the errno's name.
import { descriptorCount, descriptorsFrom, type KeptDescriptors, loadAddon } from './binding.js';
import { callNative } from './native-error.js';

/** Memory that lives as long as a descriptor of it. */
export function makeMemory(name: string): number {
  return callNative(() => loadAddon().makeMemory(name));
}

/** A listening unix socket at a path that does not exist. */
export function listen(path: string, mode: number): number {
  return callNative(() => loadAddon().listen(path, mode));
}

/**
 * Brings this thread, and what it becomes and starts, into the cgroup namespace of process 1 of `procRoot`. Node's own
 * threads, which read files asynchronously, stay where they are.
 */
export function enterHostCgroups(procRoot: string): void {
  callNative(() => loadAddon().enterHostCgroups(procRoot));
}

/** Becomes another program with the same process id, which gets `fds`; returns only by throwing. */
export function become(command: readonly string[], fds: readonly number[]): never {
  callNative(() => loadAddon().become(command, fds));
  throw new Error('execv has returned');
}

/** What outlives a keeper, from whoever had it. */
export interface Handover {
  kept: KeptDescriptors;
  /** To the worker that serves, and its process id where the link does not tell it. */
  predecessor?: { link: number; worker: number };
}

/** Takes over what is offered at a socket; undefined when nobody is there. */
export function takeOver(path: string): Handover | undefined {
  const handover = callNative(() => loadAddon().takeOver(path));
  if (handover === undefined) return undefined;
  const { link, worker, fds } = handover;
  const kept = descriptorsFrom(fds);
  return link < 0 ? { kept } : { kept, predecessor: { link, worker } };
}

/** What a keeper's worker has been given. */
export function inheritedDescriptors(): KeptDescriptors {
  const { firstWorkerFd } = loadAddon();
  return descriptorsFrom(
    Array.from({ length: descriptorCount }, (_, index) => firstWorkerFd + index),
  );
}
