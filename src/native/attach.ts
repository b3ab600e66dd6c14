// SPDX-License-Identifier: Apache-2.0
// Giving running containers the view, through their mount namespaces.
//
// Each rejects with a NativeError: "ESRCH" for a process that has ended, "EPERM" for one in the host's own mounts,
// "EXDEV" for one that shows the host's processes, "EINVAL" for a word that stands for no file.
import { loadAddon } from './binding.js';
import { awaitNative, callNative } from './native-error.js';

/** Where a view's files come from. */
export interface ViewPlaces {
  tree: string;
  runDir: string;
  /** Its cgroup's id (see `NativeEngine.viewId`); without one only the public tree is used. */
  view?: string;
  /** What it is called there otherwise (see `NativeEngine.viewName`). */
  name?: string;
}

/** What happened to each file, by its path in the container. */
export interface AttachOutcome {
  done: string[];
  /** There was nothing to do. */
  already: string[];
  left: { path: string; reason: string }[];
}

/** The addon's part of it. */
export interface AttachFunctions {
  attach(pid: number, places: ViewPlaces, files: string): Promise<AttachOutcome>;
  detach(pid: number, files: string): Promise<AttachOutcome>;
  repair(pid: number, places: ViewPlaces): Promise<AttachOutcome>;
  examine(pid: number): Promise<AttachOutcome>;
  attachable(files: string): string[];
}

/** Mounts files in a running process's mount namespace; `files` is a list such as "all" or "cpu,meminfo". */
export async function attachView(
  pid: number,
  places: ViewPlaces,
  files: string,
): Promise<AttachOutcome> {
  return await awaitNative(async () => await loadAddon().attach(pid, places, files));
}

/** Takes the files away. */
export async function detachView(pid: number, files: string): Promise<AttachOutcome> {
  return await awaitNative(async () => await loadAddon().detach(pid, files));
}

/** Replaces mounts whose daemon is dead, or that are of another container. */
export async function repairView(pid: number, places: ViewPlaces): Promise<AttachOutcome> {
  return await awaitNative(async () => await loadAddon().repair(pid, places));
}

/** Which files are as they should be (`already`), and which {@link repairView} would replace (`left`). */
export async function examineView(pid: number): Promise<AttachOutcome> {
  return await awaitNative(async () => await loadAddon().examine(pid));
}

/** The paths that a list of files stands for, such as "proc/meminfo". */
export function attachablePaths(files: string): string[] {
  return callNative(() => loadAddon().attachable(files));
}
