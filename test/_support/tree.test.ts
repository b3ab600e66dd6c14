// SPDX-License-Identifier: Apache-2.0
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildTree,
  file,
  formatTree,
  link,
  listTrees,
  parseTree,
  type TreeEntry,
  unpackTree,
} from './tree.js';

const modeBits = 0o7777;

function fixture(name: string): URL {
  return new URL(`../fixtures/hosts/${name}.tree`, import.meta.url);
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

describe('parseTree()', () => {
  it('reads every kind of entry', () => {
    const text = [
      '# kernel: 6.1.0\n',
      '#\n',
      '=== file 0444 proc/a b\n',
      'one\n',
      '\n',
      '=== file 0644 proc/empty\n',
      '=== file:noeol 0400 proc/short\n',
      'no end\n',
      '=== file:base64 0444 proc/bytes\n',
      'PT09AP8=\n',
      '=== dir 0755 cgroup/a\\x2db.slice\n',
      '=== link proc/1/ns/pid -> pid:[4026531836]\n',
    ].join('');

    const document = parseTree(text);

    expect(document).toEqual({
      comments: ['kernel: 6.1.0', ''],
      entries: [
        { kind: 'file', path: 'proc/a b', mode: 0o444, content: Buffer.from('one\n\n') },
        { kind: 'file', path: 'proc/empty', mode: 0o644, content: Buffer.alloc(0) },
        { kind: 'file', path: 'proc/short', mode: 0o400, content: Buffer.from('no end') },
        {
          kind: 'file',
          path: 'proc/bytes',
          mode: 0o444,
          content: Buffer.from('===\0\xff', 'latin1'),
        },
        { kind: 'dir', path: 'cgroup/a\\x2db.slice', mode: 0o755 },
        { kind: 'link', path: 'proc/1/ns/pid', target: 'pid:[4026531836]' },
      ],
    });
    expect(formatTree(document).toString()).toBe(text);
  });

  it.each([
    ['text before the first header', 'MemTotal: 1 kB\n', 'line 1 '],
    ['an unknown kind', '# x\n=== pipe 0444 proc/a\n', 'line 2 '],
    ['a mode of three digits', '=== file 444 proc/a\n', 'line 1 '],
    ['a path out of the tree', '=== file 0444 proc/../../etc/passwd\n', 'inside the tree'],
    ['an absolute path', '=== dir 0755 /proc\n', 'inside the tree'],
    ['content of a directory', '=== dir 0755 proc\nMemTotal\n', 'only files'],
    ['a last line without its end', '=== file 0444 proc/a\nMemTotal', 'no end'],
  ])('refuses %s', (_what, text, message) => {
    expect(() => parseTree(text)).toThrow(message);
  });
});

describe('formatTree()', () => {
  const component = fc.stringMatching(/^[A-Za-z0-9_@:,\\(][ A-Za-z0-9_.@:,\\()-]{0,12}$/);
  const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
  const line = fc.constantFrom('', '===', '=== dir 0755 x', '#', 'a: 1', ' b\t2', '\u00e9', '\0');
  const content = fc
    .tuple(fc.array(line, { maxLength: 5 }), fc.constantFrom('', '\n'))
    .map(([lines, end]) => Buffer.from(lines.join('\n') + end));
  const mode = fc.integer({ min: 0, max: modeBits });
  const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
    fc.record({ kind: fc.constant('file' as const), path, mode, content }),
    fc.record({ kind: fc.constant('dir' as const), path, mode }),
    fc.record({ kind: fc.constant('link' as const), path, target: component }),
  );

  it('is the inverse of parseTree()', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const document = { comments: ['a comment'], entries };
        expect(parseTree(formatTree(document))).toEqual(document);
      }),
    );
  });
});

describe('buildTree()', () => {
  it('makes files, directories, links and modes, and removes them when disposed of', async () => {
    let root: string;
    {
      await using tree = await buildTree({
        proc: { meminfo: 'MemTotal: 1 kB\n', '7/ns/pid': link('pid:[1]') },
        cgroup: { 'docker/abc': { 'memory.max': file('max\n', 0o644) }, empty: {} },
      });
      root = tree.root;
      expect(await readFile(join(tree.proc, 'meminfo'), 'utf8')).toBe('MemTotal: 1 kB\n');
      expect(await tree.readLink('proc/7/ns/pid')).toBe('pid:[1]');
      expect((await stat(join(tree.proc, 'meminfo'))).mode & modeBits).toBe(0o444);
      expect((await stat(join(tree.cgroup, 'docker/abc/memory.max'))).mode & modeBits).toBe(0o644);
      expect((await stat(join(tree.cgroup, 'empty'))).isDirectory()).toBe(true);
      expect((await stat(tree.sys)).isDirectory()).toBe(true);
    }
    expect(await exists(root)).toBe(false);
  });

  it('gives every tree a place of its own', async () => {
    await using first = await buildTree({ proc: { uptime: '1.00 1.00\n' } });
    await using second = await buildTree({ proc: { uptime: '2.00 2.00\n' } });

    expect(await first.read('proc/uptime')).toBe('1.00 1.00\n');
    expect(await second.read('proc/uptime')).toBe('2.00 2.00\n');
  });

  it('leaves nothing behind when the literal cannot be built', async () => {
    await expect(buildTree({ proc: { '../escape': '' } })).rejects.toThrow('inside the tree');
  });
});

describe('Tree.write()', () => {
  it('shows the new content to a descriptor opened before, and keeps the mode', async () => {
    await using tree = await buildTree({ cgroup: { 'memory.current': '104857600\n' } });
    const path = join(tree.cgroup, 'memory.current');
    const before = await open(path);
    try {
      await tree.write('cgroup/memory.current', '4096\n');

      const { buffer, bytesRead } = await before.read(Buffer.alloc(64), 0, 64, 0);
      expect(buffer.toString('utf8', 0, bytesRead)).toBe('4096\n');
      expect((await stat(path)).mode & modeBits).toBe(0o444);
    } finally {
      await before.close();
    }
  });

  it('creates a file with the directories above it', async () => {
    await using tree = await buildTree({});
    await tree.write('cgroup/a/b/cpu.max', 'max 100000\n');
    expect(await tree.read('cgroup/a/b/cpu.max')).toBe('max 100000\n');
  });
});

describe('Tree.link() and Tree.remove()', () => {
  it('replace a link and remove a directory with what is in it', async () => {
    await using tree = await buildTree({ proc: { '7/ns/pid': link('pid:[1]'), '7/stat': '7\n' } });
    await tree.link('proc/7/ns/pid', 'pid:[2]');
    expect(await tree.readLink('proc/7/ns/pid')).toBe('pid:[2]');

    await tree.remove('proc/7');
    expect(await exists(join(tree.proc, '7'))).toBe(false);
    await expect(tree.remove('proc/7')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the captured hosts', async () => {
  const names = await listTrees();

  it.each(names)('%s unpacks, byte for byte and with its modes', async (name) => {
    const text = await readFile(fixture(name));
    const document = parseTree(text);
    expect(formatTree(document).equals(text)).toBe(true);

    await using tree = await unpackTree(name);
    for (const entry of document.entries) {
      const path = join(tree.root, entry.path);
      if (entry.kind === 'link') expect(await tree.readLink(entry.path)).toBe(entry.target);
      else expect((await stat(path)).mode & modeBits).toBe(entry.mode);
      if (entry.kind === 'file' && (entry.mode & 0o400) !== 0) {
        expect(entry.content.equals(await readFile(path)), entry.path).toBe(true);
      }
    }
  });

  it.each(names)('%s has what the engine reads first', async (name) => {
    const { entries } = parseTree(await readFile(fixture(name)));
    const sizes = new Map(
      entries.map((each) => [each.path, 'content' in each && each.content.length]),
    );
    for (const path of ['meminfo', 'stat', 'cpuinfo', '1/cgroup', 'uptime']) {
      expect(sizes.get(`proc/${path}`), path).toBeGreaterThan(0);
    }
    expect(sizes.get('sys/devices/system/cpu/online')).toBeGreaterThan(0);
  });
});
