// SPDX-License-Identifier: Apache-2.0
// Reads every #include and import and compares them with the directions between the layers.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('..', import.meta.url));
const maxLines = 400;

interface SourceFile {
  /** From the repository's root, such as "native/core/base/fd.h". */
  path: string;
  text: string;
}

function readFiles(directory: string, suffix: RegExp): SourceFile[] {
  return readdirSync(join(repository, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && suffix.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(repository, path), text: readFileSync(path, 'utf8') }));
}

/** All first groups of a pattern, with the file they are in. */
function matches(files: SourceFile[], pattern: RegExp): { path: string; match: string }[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(([, match = '']) => ({ path, match })),
  );
}

/** Paths of files that match a pattern, each once. */
function filesWith(files: SourceFile[], pattern: RegExp): string[] {
  return files.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
}

const cppFiles = readFiles('native', /\.(h|cc)$/);
const tsFiles = readFiles('src', /\.ts$/);

const core = ['base', 'proc', 'cgroup', 'model', 'render', 'catalog', 'engine'];

/** What each layer of native/ may include besides itself. */
const cppLayers: Record<string, string[]> = {
  base: [],
  proc: ['base'],
  cgroup: ['base'],
  model: ['base', 'proc', 'cgroup'],
  render: ['base', 'proc', 'cgroup', 'model'],
  catalog: ['base', 'proc', 'cgroup', 'model', 'render'],
  engine: core,
  fuse: core,
  mounts: ['base'],
  attach: ['base', 'cgroup'],
  addon: [...core, 'fuse', 'mounts', 'attach'],
  testing: [...core, 'fuse', 'mounts'],
  fuzz: [...core, 'fuse', 'testing', 'hook'],
  load: ['base', 'fuse'],
  keeper: ['base', 'mounts', 'attach'],
  hook: ['base', 'cgroup', 'attach'],
};

/** "native/core/base/fd.h" and "core/base/fd.h" are in base, "fuse/mount.h" is in fuse. */
function cppLayer(path: string): string {
  const [first = '', second = ''] = path.replace(/^native\//, '').split('/');
  return first === 'core' ? second : first;
}

describe('native/', () => {
  test('is found', () => {
    expect(cppFiles.length).toBeGreaterThan(10);
  });

  test('has no layer without a place in the order', () => {
    const layers = new Set(cppFiles.map(({ path }) => cppLayer(path)));
    expect([...layers].filter((layer) => cppLayers[layer] === undefined)).toEqual([]);
  });

  test('includes only what is below', () => {
    const wrong = matches(cppFiles, /^\s*#\s*include\s+"([^"]+)"/gm).filter(({ path, match }) => {
      const [from, to] = [cppLayer(path), cppLayer(match)];
      return from !== to && !cppLayers[from]?.includes(to);
    });
    expect(wrong).toEqual([]);
  });

  test('includes its own headers by their path from native/', () => {
    const known = new Set(cppFiles.map(({ path }) => path));
    const wrong = matches(cppFiles, /^\s*#\s*include\s+"([^"]+)"/gm).filter(
      ({ match }) => !known.has(`native/${match}`),
    );
    expect(wrong).toEqual([]);
  });

  test.each([
    ['Node-API', /^(napi|node_api|js_native_api|node|v8|uv)\.h$/, ['addon', 'testing']],
    ['FUSE', /^(fuse3?\/|linux\/fuse\.h|fuse\w*\.h|cuse\w*\.h)/, ['fuse', 'keeper', 'load']],
  ])('includes the headers of %s only where it belongs', (_, header, layers) => {
    const wrong = matches(cppFiles, /^\s*#\s*include\s+<([^>]+)>/gm).filter(
      ({ path, match }) => header.test(match) && !layers.includes(cppLayer(path)),
    );
    expect(wrong).toEqual([]);
  });

  test('starts no thread in core', () => {
    const inCore = cppFiles.filter(({ path }) => path.startsWith('native/core/'));
    expect(filesWith(inCore, /std::j?thread\b|pthread_create|std::async/)).toEqual([]);
  });
});

/** Rooms of src/ in order: each may import from itself and from those with a lower rank. */
const tsRanks: [rank: number, room: RegExp][] = [
  [0, /^(errors|log-levels|printable|version|without-schemas|zod)\.ts$/],
  [1, /^logger\.ts$/],
  [1, /^config\//],
  [1, /^control\/(protocol|replies|openapi|control-error)\.ts$/],
  [1, /^explain\//],
  [1, /^metrics\//],
  [1, /^native\//],
  [2, /^control\//],
  [2, /^containers\//],
  [2, /^kubernetes\//],
  [3, /^daemon\//],
  [4, /^cli\//],
  [5, /^(main|index|install|worker)\.ts$/],
];

function tsRank(path: string): { rank: number; room: string } | undefined {
  const inside = path.replace(/^src\//, '');
  const found = tsRanks.find(([, room]) => room.test(inside));
  if (found === undefined) return undefined;
  return { rank: found[0], room: inside.includes('/') ? dirname(inside) : inside };
}

/** Imports of our own modules, static and dynamic, as paths of .ts files. */
function ownImports(files = tsFiles): { path: string; match: string }[] {
  return matches(files, /(?:from|import)\s*\(?\s*'(\.[^']+)'/g).map(({ path, match }) => ({
    path,
    match: normalize(join(dirname(path), match)).replace(/\.js$/, '.ts'),
  }));
}

describe('src/', () => {
  test('is found', () => {
    expect(tsFiles.length).toBeGreaterThan(10);
    expect(ownImports().length).toBeGreaterThan(tsFiles.length);
  });

  test('has no file without a place in the order', () => {
    expect(tsFiles.filter(({ path }) => tsRank(path) === undefined)).toEqual([]);
  });

  test('imports only what is below', () => {
    const wrong = ownImports().filter(({ path, match }) => {
      const [from, to] = [tsRank(path), tsRank(match)];
      if (from === undefined || to === undefined) return true;
      const sameRoom = from.room.split('/')[0] === to.room.split('/')[0];
      return sameRoom ? from.rank < to.rank : from.rank <= to.rank;
    });
    expect(wrong).toEqual([]);
  });

  test.each([
    ['loads an addon', /\.node['"`]|process\.dlopen/, ['src/native/binding.ts']],
    ['reads the environment', /process\.env\b/, ['src/config/sources.ts']],
    ['sets the exit code', /process\.exitCode\b/, ['src/install.ts', 'src/main.ts']],
    ['exits', /process\.(exit|abort|reallyExit)\b/, []],
    ['writes to the console', /\bconsole\./, []],
  ])('%s only where it belongs', (_, pattern, allowed) => {
    expect(filesWith(tsFiles, pattern).filter((path) => !allowed.includes(path))).toEqual([]);
  });

  test('starts in less than 40 lines', () => {
    const main = tsFiles.find(({ path }) => path === 'src/main.ts');
    expect(main?.text.split('\n').length).toBeLessThan(40);
  });
});

test('bench/ has nothing of vitest, also not by what it shares with the tests', () => {
  const shared = readFiles('test/_support', /\.ts$/);
  const files = [...readFiles('bench', /\.ts$/), ...shared];
  const reached = new Set(files.filter(({ path }) => path.startsWith('bench/')).map((f) => f.path));
  const imports = ownImports(files);
  for (const path of reached) {
    for (const found of imports) if (found.path === path) reached.add(found.match);
  }
  const wrong = matches(files, /^import (?!type).* from '(vitest)'/gm).filter(({ path }) =>
    reached.has(path),
  );
  expect(wrong).toEqual([]);
});

test(`No file has more than ${maxLines} lines`, () => {
  const long = [...cppFiles, ...tsFiles].filter(
    ({ text }) => text.split('\n').length > maxLines + 1,
  );
  expect(long.map(({ path }) => path)).toEqual([]);
});

test('Every file names its license', () => {
  const unnamed = [...cppFiles, ...tsFiles].filter(
    ({ text }) => !text.slice(0, 200).includes('SPDX-License-Identifier: Apache-2.0'),
  );
  expect(unnamed.map(({ path }) => path)).toEqual([]);
});
