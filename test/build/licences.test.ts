// SPDX-License-Identifier: Apache-2.0
// docs/licences.md has every package that an installation has, under its licence.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface LockedPackage {
  license?: string;
  dev?: boolean;
}

function read(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
}

/** "name: licence" of each package that is not for developers only. */
function installed(): string[] {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, LockedPackage>;
  };
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  const lines = shipped.map(([path, { license }]) => {
    return `${path.replace(/^.*node_modules\//, '')}: ${license ?? 'none'}`;
  });
  return [...new Set(lines)].toSorted();
}

/** The same, of the table. */
function listed(): string[] {
  const rows = read('docs/licences.md').matchAll(/^\| (\S+) \| (\S.*) \|$/gm);
  const lines = [...rows].flatMap(([, licence = '', names = '']) =>
    licence === 'licence' || licence === '---'
      ? []
      : names.split(', ').map((name) => `${name}: ${licence}`),
  );
  return lines.toSorted();
}

test('Every package that is installed is listed with its licence', () => {
  expect(listed()).toEqual(installed());
});

test('Every package in the lockfile is pinned by hash', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { integrity?: string }>;
  };
  const unpinned = Object.entries(packages).filter(
    ([path, { integrity }]) => path !== '' && integrity === undefined,
  );
  expect(unpinned.map(([path]) => path)).toEqual([]);
});
