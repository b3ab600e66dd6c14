// SPDX-License-Identifier: Apache-2.0
// The kernel files that a rendering was made of. Pure.

/** A kernel file as it was read. */
export interface Input {
  path: string;
  text: string;
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The rest of the line that begins with `key`, without the unit. */
export function lineValue(text: string, key: string): string | undefined {
  for (const line of text.split('\n')) {
    if (!line.startsWith(key)) continue;
    const rest = line.slice(key.length);
    const value = /^:?\s+(\d+)/.exec(rest)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}
