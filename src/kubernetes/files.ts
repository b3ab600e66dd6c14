// SPDX-License-Identifier: Apache-2.0
// The files that a pod specification can put over a container's own, and how they are called there. Pure.
import { mountableByRunc } from '../config/virtual-files.js';

/**
 * Paths below the public tree, which are also the paths in a container.
 *
 * One refused file keeps the whole container from starting. What is missing here (vmstat, pressure) comes with the
 * runtime class.
 */
export const injectableFiles = [...mountableByRunc, 'sys/devices/system/cpu'] as const;

export type InjectableFile = (typeof injectableFiles)[number];

/** How a file is called in annotations: "meminfo", and "cpu" for /sys/devices/system/cpu. */
export function shortName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1);
}

/** Accepts "meminfo", "proc/meminfo" and "/proc/meminfo". */
export function findFile(text: string): InjectableFile | undefined {
  const name = text.replace(/^\/+/, '');
  return injectableFiles.find((file) => file === name || shortName(file) === name);
}

/** The name of the volume of a file, such as "lensfs-proc-meminfo". */
export function volumeName(file: string): string {
  return `lensfs-${file.replaceAll('/', '-')}`;
}

/** `File` and not unset: with an unset type a missing source becomes a directory, and stays one. */
export function hostPathType(file: string): 'File' | 'Directory' {
  return file.startsWith('proc/') ? 'File' : 'Directory';
}

/** Where a file is in the container. */
export function mountPath(file: string): string {
  return `/${file}`;
}

/** Where a file is on the node. */
export function hostPath(tree: string, file: string): string {
  return `${tree.replace(/\/+$/, '')}/${file}`;
}

/** All of them, for messages. */
export function fileNames(): string {
  return injectableFiles.map(shortName).join(', ');
}
