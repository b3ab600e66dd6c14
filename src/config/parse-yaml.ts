// SPDX-License-Identifier: Apache-2.0
// A configuration file's text -> entries. Pure.
import { isMap, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { Entry } from './parse.js';
import type { Sources } from './sources.js';

/** The entries of a YAML document; a syntax error names its line. */
export function parseYaml(text: string, path: string): Sources {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const at = (offset: number) => `${path}, line ${lineCounter.linePos(offset).line}`;
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos }) => {
      return { key: '', message: `not valid YAML: ${message}`, origin: at(pos[0]) };
    });
    return { entries: [], problems };
  }
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return { entries: [], problems: [] };
  }
  if (!isMap(contents)) {
    const message = 'expected a mapping of keys to values';
    return { entries: [], problems: [{ key: '', message, origin: path }] };
  }

  const entries: Entry[] = [];
  const visit = (node: ParsedNode | null, key: string, offset: number): void => {
    if (isMap(node) && node.items.length > 0) {
      for (const { key: name, value } of node.items) {
        const path = key === '' ? String(name) : `${key}.${name}`;
        visit(value as ParsedNode | null, path, name.range[0]);
      }
    } else if (key !== '') {
      // An empty mapping as a whole is an empty configuration.
      entries.push({ key, value: node?.toJS(document) ?? null, origin: at(offset) });
    }
  };
  visit(contents, '', 0);
  return { entries, problems: [] };
}
