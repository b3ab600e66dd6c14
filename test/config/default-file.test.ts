// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configJsonSchema, formatDefaultFile } from '../../src/config/default-file.js';
import { parseConfig } from '../../src/config/parse.js';
import { parseYaml } from '../../src/config/parse-yaml.js';
import { configKeys } from '../../src/config/schema.js';
import { configTexts } from '../../src/config/texts.js';

/** The file without the marks that make its keys comments. */
function uncommented(): string {
  return formatDefaultFile().replace(/^# ( *(?:- )?[a-z_]+:(?: .*)?)$/gm, '$1');
}

describe('formatDefaultFile()', () => {
  test('changes nothing as it is', () => {
    expect(parseYaml(formatDefaultFile(), 'file')).toEqual({ entries: [], problems: [] });
  });

  test('has every key with its default', () => {
    const { entries, problems } = parseYaml(uncommented(), 'file');
    expect(problems).toEqual([]);
    expect(entries.map(({ key }) => key).sort()).toEqual(configKeys.map(({ name }) => name).sort());
    const parsed = parseConfig(entries.filter(({ key }) => key !== 'profiles'));
    const defaults = parseConfig([]);
    expect(parsed).toEqual(defaults);
    expect(parseConfig(entries).ok).toBe(true);
  });

  test('describes every key', () => {
    for (const { description } of configKeys) {
      expect(formatDefaultFile()).toContain(`# ${description}: `);
    }
  });
});

describe('configTexts()', () => {
  test('is a configuration that means the same', () => {
    const entries = parseYaml(
      'freshness: 1500us\ncpu: {count: cpuset}\nswap: off\nprofiles: [{match: {name: a}, freshness: 2s}]\n',
      'file',
    ).entries;
    const parsed = parseConfig(entries);
    if (!parsed.ok) throw new Error('wrong');
    const again = parseYaml(JSON.stringify(configTexts(parsed.config)), 'again').entries;
    expect(parseConfig(again)).toEqual(parsed);
    expect(parse(JSON.stringify(configTexts(parsed.config)))).toMatchObject({
      freshness: '1500us',
    });
  });
});

describe('configJsonSchema()', () => {
  test('describes the profiles too', () => {
    const { properties } = configJsonSchema() as { properties: Record<string, unknown> };
    expect(JSON.stringify(properties['profiles'])).toContain('"label"');
  });
});
