// SPDX-License-Identifier: Apache-2.0
// The fenced blocks of the pages for users. Pure.
//
// What follows the fence says what a block is:
//
//   sh             commands for a host with lensfs and Docker
//   sh podman      the same without Docker; $ROOTFS is an unpacked image
//   sh containerd  the same with containerd
//   sh checkout    commands for a clone of the repository
//   sh cluster     commands for a Kubernetes cluster
//   text output    all that the block before it prints; "…" stands for any text
//   yaml config    a configuration of lensfs
//   yaml, toml     a file of another program
//   text capture   "$ COMMAND" and what it printed on a terminal; values differ each time, the form does not
//   text           what is not typed: output that differs each time

export interface DocBlock {
  page: string;
  /** Of the fence, from 1. */
  line: number;
  kind: string;
  text: string;
}

export const blockKinds = [
  'sh',
  'sh podman',
  'sh containerd',
  'sh checkout',
  'sh cluster',
  'text output',
  'text capture',
  'yaml config',
  'yaml',
  'toml',
  'text',
] as const;

/** All fenced blocks of a page. @throws {Error} for one that does not end */
export function blocksOf(page: string, text: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  let open: DocBlock | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*(?:```+|~~~+)\s*(.*)$/.exec(line);
    if (fence === null) {
      if (open !== undefined) open.text += `${line}\n`;
    } else if (open === undefined) {
      open = { page, line: index + 1, kind: (fence[1] ?? '').trim(), text: '' };
    } else {
      blocks.push(open);
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: a block without an end`);
  return blocks;
}

/** Commands of lensfs that a page names in its text, such as "views" of `lensfs views`. */
export function commandsNamedIn(text: string): string[] {
  return [...text.matchAll(/`(?:\.\/dist\/main\.js|lensfs) ([a-z]+)/g)].map(
    ([, name = '']) => name,
  );
}

/** Whether `printed` is what a page shows. */
export function matchesShown(shown: string, printed: string): boolean {
  const source = shown
    .trimEnd()
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`, 's').test(printed.trimEnd());
}
