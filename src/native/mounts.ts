// SPDX-License-Identifier: Apache-2.0
// Mounting, and the public tree of layered binds. Every function throws NativeError with the errno's name.
import { loadAddon } from './binding.js';
import { callNative } from './native-error.js';

/** Directories that a layer's files come from: "proc/meminfo" is `proc`/meminfo. */
export interface LayerSource {
  proc: string;
  sys: string;
}

/** Mounts a new connection on an empty directory, read-only unless `writable`; the descriptor. A dead daemon's mount there is cleared. */
export function mountConnection(path: string, { writable = false } = {}): number {
  return callNative(() => loadAddon().mountConnection(path, writable));
}

export function unmount(path: string): void {
  callNative(() => loadAddon().unmount(path));
}

/** Makes the tree, or adds the leaves it lacks, each with the host's own file as its first layer. */
export function stageTree(tree: string, leaves: readonly string[], native: LayerSource): void {
  callNative(() => loadAddon().stageTree(tree, leaves, native.proc, native.sys));
}

/** Makes every leaf of the tree show `source`, with as few layers as there can be. */
export function settleLayer(tree: string, source: LayerSource): void {
  callNative(() => loadAddon().settleLayer(tree, source.proc, source.sys));
}

export function removeTree(tree: string): void {
  callNative(() => loadAddon().removeTree(tree));
}

/** Claims the tree until the descriptor and all its copies are closed; EBUSY while somebody else has it. */
export function lockTree(tree: string): number {
  return callNative(() => loadAddon().lockTree(tree));
}

export function isTree(tree: string): boolean {
  return callNative(() => loadAddon().isTree(tree));
}

/** Whether the tree shows the files of the connection that is mounted at `connection`. */
export function isOnTop(tree: string, connection: string): boolean {
  return callNative(() => loadAddon().isOnTop(tree, connection));
}

/** Layers of the tree's highest stack. */
export function countLayers(tree: string): number {
  return callNative(() => loadAddon().countLayers(tree));
}

/** Whether a /dev/fuse descriptor still has its mount. */
export function isConnected(fd: number): boolean {
  return callNative(() => loadAddon().isConnected(fd));
}
