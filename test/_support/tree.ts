// SPDX-License-Identifier: Apache-2.0
// A host in a directory: what lensfs reads of /proc, /sys/fs/cgroup and /sys, so that the engine can
// be pointed at another machine. Trees come from a file captured on a real host
// (test/fixtures/hosts) or from a literal in the test.
//
// The .tree format: lines that begin with "===" are headers, what follows a header up to the next
// one is the content, byte for byte.
//
//   # a preamble of comments
//   === file 0444 proc/meminfo            text whose last line ends in a newline (or nothing at all)
//   === file:noeol 0444 cgroup/x/y        text without a final newline; the one shown is not part of it
//   === file:base64 0444 proc/1/stat      anything else: not ASCII, or lines that begin with "==="
//   === dir 0755 cgroup/empty             directories above an entry need no line of their own
//   === link proc/1/ns/pid -> pid:[4026531836]

import { chmodSync, mkdirSync, type Stats, symlinkSync, writeFileSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const hostsDirectory = fileURLToPath(new URL('../fixtures/hosts/', import.meta.url));
const defaultFileMode = 0o444;
const defaultDirectoryMode = 0o755;

export interface FileEntry {
  readonly kind: 'file';
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

export interface DirectoryEntry {
  readonly kind: 'dir';
  readonly path: string;
  readonly mode: number;
}

export interface LinkEntry {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

export type TreeEntry = FileEntry | DirectoryEntry | LinkEntry;

/** What a .tree file holds: its comment lines, without "# ", and its entries in order. */
export interface TreeDocument {
  readonly comments: readonly string[];
  readonly entries: readonly TreeEntry[];
}

/** A nested description of a tree; a key may be a path of several names ("123/ns/pid"). */
export interface TreeLiteral {
  readonly [path: string]: string | Buffer | LiteralFile | LiteralLink | TreeLiteral;
}

class LiteralFile {
  constructor(
    readonly content: string | Buffer,
    readonly mode: number,
  ) {}
}

class LiteralLink {
  constructor(readonly target: string) {}
}

/** For a literal: a file with another mode than 0444. */
export function file(content: string | Buffer, mode: number): LiteralFile {
  return new LiteralFile(content, mode);
}

/** For a literal: a symbolic link, usually one that dangles, as `link("pid:[4026531836]")`. */
export function link(target: string): LiteralLink {
  return new LiteralLink(target);
}

/** An unpacked tree; all of it is removed when it is disposed of. Paths are relative to `root`. */
export class Tree implements AsyncDisposable {
  constructor(readonly root: string) {}

  get proc(): string {
    return join(this.root, 'proc');
  }

  get cgroup(): string {
    return join(this.root, 'cgroup');
  }

  get sys(): string {
    return join(this.root, 'sys');
  }

  async read(path: string): Promise<string> {
    return await readFile(this.#resolve(path), 'utf8');
  }

  /**
   * Creates a file or replaces its content in place: as with a kernel file, a descriptor opened
   * before sees the new content, and the mode stays.
   */
  async write(path: string, content: string | Buffer): Promise<void> {
    const target = this.#resolve(path);
    const before = await statOrNull(target);
    if (before === null) {
      createEntries(this.root, [newFile(path, content)]);
      return;
    }
    await chmod(target, 0o600);
    await writeFile(target, content);
    await chmod(target, before.mode & 0o7777);
  }

  /** The target of a link, such as "pid:[4026531836]" of proc/1/ns/pid. */
  async readLink(path: string): Promise<string> {
    return await readlink(this.#resolve(path));
  }

  async link(path: string, target: string): Promise<void> {
    await rm(this.#resolve(path), { force: true });
    createEntries(this.root, [{ kind: 'link', path, target }]);
  }

  /** Removes a file or a whole directory; it is an error when there is none. */
  async remove(path: string): Promise<void> {
    await rm(this.#resolve(path), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }

  #resolve(path: string): string {
    return join(this.root, checkPath(path));
  }
}

/** Unpacks test/fixtures/hosts/`name`.tree into a new temporary directory. */
export async function unpackTree(name: string): Promise<Tree> {
  const text = await readFile(join(hostsDirectory, `${name}.tree`));
  return await createTree(parseTree(text).entries);
}

/**
 * Makes a tree from a literal.
 *
 * @example
 * await using tree = await buildTree({
 *   proc: { meminfo: "MemTotal: 1024 kB\n", "7/ns/pid": link("pid:[4026532001]") },
 *   cgroup: { "docker/abc": { "memory.max": "max\n" } },
 * });
 */
export async function buildTree(literal: TreeLiteral): Promise<Tree> {
  return await createTree(listLiteral(literal, ''));
}

/** The names of all captured hosts, without ".tree", sorted. */
export async function listTrees(): Promise<string[]> {
  const suffix = '.tree';
  const names = await readdir(hostsDirectory);
  return names
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .sort();
}

/**
 * Reads the .tree format.
 *
 * @throws {Error} with the number of the line, when the text is not of that format
 */
export function parseTree(text: Buffer | string): TreeDocument {
  // latin1 keeps one character for each byte.
  const lines = splitLines(Buffer.from(text).toString('latin1'));
  const comments: string[] = [];
  const entries: TreeEntry[] = [];
  let at = 0;
  for (; lines[at]?.startsWith('#') === true; ++at) {
    comments.push((lines[at] ?? '').replace(/^# ?|\n$/g, ''));
  }
  while (at < lines.length) {
    const header = lines[at] ?? '';
    const start = ++at;
    while (at < lines.length && lines[at]?.startsWith('===') === false) ++at;
    try {
      entries.push(parseEntry(header, lines.slice(start, at).join('')));
    } catch (error) {
      throw new Error(`Cannot read line ${start} of a tree: ${messageOf(error)}`, { cause: error });
    }
  }
  return { comments, entries };
}

/** Writes the .tree format; `parseTree` gives the same document back. */
export function formatTree({ comments, entries }: TreeDocument): Buffer {
  const head = comments.map((comment) => `# ${comment}\n`.replace(' \n', '\n'));
  return Buffer.from([...head, ...entries.map(formatEntry)].join(''), 'latin1');
}

function parseEntry(header: string, content: string): TreeEntry {
  const link = /^=== link (.+?) -> (.+)\n$/.exec(header);
  if (link !== null) {
    expectNoContent(content);
    return { kind: 'link', path: checkPath(link[1] ?? ''), target: link[2] ?? '' };
  }
  const match = /^=== (dir|file|file:noeol|file:base64) ([0-7]{4}) (.+)\n$/.exec(header);
  if (match === null) throw new Error(`expected a header, got ${JSON.stringify(header.trimEnd())}`);
  const [, kind = '', octal = '', name = ''] = match;
  const path = checkPath(name);
  const mode = Number.parseInt(octal, 8);
  if (kind === 'dir') {
    expectNoContent(content);
    return { kind, path, mode };
  }
  return { kind: 'file', path, mode, content: decodeContent(kind, content) };
}

function decodeContent(kind: string, content: string): Buffer {
  if (kind === 'file:base64') return Buffer.from(content, 'base64');
  if (content !== '' && !content.endsWith('\n')) throw new Error('the last line has no end');
  return Buffer.from(kind === 'file:noeol' ? content.slice(0, -1) : content, 'latin1');
}

function formatEntry(entry: TreeEntry): string {
  if (entry.kind === 'link') return `=== link ${entry.path} -> ${entry.target}\n`;
  const place = `${entry.mode.toString(8).padStart(4, '0')} ${entry.path}\n`;
  if (entry.kind === 'dir') return `=== dir ${place}`;
  const text = entry.content.toString('latin1');
  if (!/^[\t\n -~]*$/.test(text) || /^===/m.test(text)) {
    const lines = entry.content.toString('base64').match(/.{1,76}/g) ?? [];
    return `=== file:base64 ${place}${lines.map((line) => `${line}\n`).join('')}`;
  }
  if (text === '' || text.endsWith('\n')) return `=== file ${place}${text}`;
  return `=== file:noeol ${place}${text}\n`;
}

function listLiteral(literal: TreeLiteral, parent: string): TreeEntry[] {
  return Object.entries(literal).flatMap(([name, value]): TreeEntry[] => {
    const path = parent === '' ? name : `${parent}/${name}`;
    if (typeof value === 'string' || Buffer.isBuffer(value)) return [newFile(path, value)];
    if (value instanceof LiteralFile) return [newFile(path, value.content, value.mode)];
    if (value instanceof LiteralLink) return [{ kind: 'link', path, target: value.target }];
    return [
      { kind: 'dir', path, mode: defaultDirectoryMode },
      ...listLiteral(value as TreeLiteral, path),
    ];
  });
}

function newFile(path: string, content: string | Buffer, mode = defaultFileMode): FileEntry {
  return { kind: 'file', path, mode, content: Buffer.from(content) };
}

async function createTree(entries: readonly TreeEntry[]): Promise<Tree> {
  const tree = new Tree(await mkdtemp(join(tmpdir(), 'lensfs-tree-')));
  try {
    for (const top of [tree.proc, tree.cgroup, tree.sys]) mkdirSync(top);
    createEntries(tree.root, entries);
    return tree;
  } catch (error) {
    await tree[Symbol.asyncDispose]();
    throw error;
  }
}

/** Synchronous: for thousands of small files that is several times as fast. */
function createEntries(root: string, entries: readonly TreeEntry[]): void {
  let parent = '';
  for (const entry of entries) {
    const target = join(root, checkPath(entry.path));
    if (dirname(target) !== parent) {
      parent = dirname(target);
      mkdirSync(parent, { recursive: true });
    }
    if (entry.kind === 'link') {
      symlinkSync(entry.target, target);
      continue;
    }
    if (entry.kind === 'dir') mkdirSync(target, { recursive: true });
    else writeFileSync(target, entry.content, { flag: 'wx' });
    chmodSync(target, entry.mode); // not through the umask
  }
}

/** Nothing in a tree may point out of it, or need more than one line to write down. */
function checkPath(path: string): string {
  const plain = path !== '' && !path.startsWith('/') && !path.includes('\n');
  if (!plain || normalize(path) !== path || path.split('/').includes('..')) {
    throw new Error(`expected a path inside the tree, got ${JSON.stringify(path)}`);
  }
  return path;
}

function expectNoContent(content: string): void {
  if (content !== '') throw new Error('only files have content');
}

/** Lines with their ends; unlike `split`, no empty one after the last. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
