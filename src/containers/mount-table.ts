// SPDX-License-Identifier: Apache-2.0
// /proc/<pid>/mountinfo (proc(5)). Pure.

export interface Mount {
  /** What of the file system is shown, such as "/meminfo". */
  root: string;
  /** Where, as the process sees it. */
  point: string;
  /** Such as "ro,nosuid". */
  options: string;
  /** Whether mounts on the host's side reach it: "shared", "slave" or "private". */
  propagation: 'shared' | 'slave' | 'private';
  /** Such as "proc" or "fuse.lensfs". */
  type: string;
  /** Of the file system itself, such as "rw,memory". */
  fileSystemOptions: string;
}

export const lensfsType = 'fuse.lensfs';

/** Mounts in the kernel's order; a line that is not the kernel's is skipped. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after] = line.split(' - ');
    const [, , , root, point, options, ...tags] = before.split(' ');
    const [type, , fileSystemOptions = ''] = after?.split(' ') ?? [];
    if (root === undefined || point === undefined || options === undefined || !type) return [];
    const propagation = propagationOf(tags);
    const paths = { root: unescapePath(root), point: unescapePath(point) };
    return [{ ...paths, options, propagation, type, fileSystemOptions }];
  });
}

/** The mount that a path is on: the last of those with the longest path above it. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let found: Mount | undefined;
  for (const mount of mounts) {
    const prefix = mount.point === '/' ? '/' : `${mount.point}/`;
    const covers = `${path}/`.startsWith(prefix);
    if (covers && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}

function propagationOf(tags: readonly string[]): Mount['propagation'] {
  if (tags.some((tag) => tag.startsWith('shared:'))) return 'shared';
  return tags.some((tag) => tag.startsWith('master:')) ? 'slave' : 'private';
}

/** The kernel writes blanks, newlines and backslashes as "\040". */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code: string) => {
    return String.fromCharCode(Number.parseInt(code, 8));
  });
}
