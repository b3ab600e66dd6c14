// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { core } from '../../_support/testing-addon.js';

const names: [path: string, name: string][] = [
  ['/docker/0a1b2c', 'docker=0a1b2c'],
  ['/system.slice/nginx.service', 'system.slice=nginx.service'],
  ['/user.slice/a=b', 'user.slice=a%3Db'],
  ['/100%', '100%25'],
  ['/a%3Db', 'a%253Db'],
  ['/a b\tc', 'a b\tc'],
  ['/größe/✓', 'größe=✓'],
  ['/...', '...'],
];

for (const [path, name] of names) {
  test(`ViewNameOf() and CgroupPathOf() of ${path}`, () => {
    expect(core.viewNameOf(path)).toBe(name);
    expect(core.cgroupPathOf(name)).toBe(path);
  });
}

for (const name of [
  '',
  '=',
  '=a',
  'a=',
  'a==b',
  '.',
  '..',
  'a=..',
  '..=a',
  'a=.=b',
  'a%',
  'a%3',
  'a%41',
  'a%3d',
  'a/b',
  '/a',
]) {
  test(`CgroupPathOf() rejects ${JSON.stringify(name)}`, () => {
    expect(core.cgroupPathOf(name)).toBeNull();
  });
}

// What a cgroup can be called: anything but "/", a newline, NUL, "." and "..".
const component = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 12 })
  .filter((text) => !/[/\n\0]/.test(text) && text !== '.' && text !== '..');
const cgroupPath = fc
  .array(component, { minLength: 1, maxLength: 6 })
  .map((components) => `/${components.join('/')}`);

test('every path has a name of its own, which leads back to it', () => {
  fc.assert(
    fc.property(cgroupPath, (path) => {
      const name = core.viewNameOf(path);
      expect(name).not.toContain('/');
      expect(core.cgroupPathOf(name)).toBe(path);
    }),
  );
});

test('a name that is some path’s is that path’s only name', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '.', '=', '%', '2', '3', '5', 'D') }),
      (name) => {
        const path = core.cgroupPathOf(name);
        if (path !== null) expect(core.viewNameOf(path)).toBe(name);
      },
    ),
  );
});

test('IdOfName() takes the one name that an id has, which is no path’s', () => {
  for (const name of ['=cpu=1', '=memory=4711', '=unified=18446744073709551615']) {
    expect(core.idOfName(name)).toBe(name);
    expect(core.cgroupPathOf(name)).toBeNull();
  }
  const wrong = [
    '',
    '=',
    '=cpu',
    '=cpu=',
    '=cpu=0',
    '=cpu=007',
    '=cpu=+1',
    '=cpu=1=2',
    '=x=1',
    '==1',
  ];
  for (const name of [...wrong, 'cpu=1', '=cpu=18446744073709551616', '=cpu=1\n']) {
    expect(core.idOfName(name)).toBeNull();
  }
});
