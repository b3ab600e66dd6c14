// SPDX-License-Identifier: Apache-2.0
// Who has asked for the view, and for which files of it. Pure.
import { findFile, type InjectableFile, injectableFiles } from './files.js';
import { containerFilesPrefix, filesKey, injectKey, legacyKey, statusKey } from './names.js';
import type { Metadata } from './pod.js';

/** Every file by its longest name takes a tenth of it. */
const maxListLength = 4096;

const keyPrefix = 'lensfs.io/';

/** What the labels and annotations of one object say; undefined when they say nothing. */
export function readChoice(metadata: Metadata | null | undefined): boolean | undefined {
  const { labels, annotations } = metadata ?? {};
  const values = [labels?.[injectKey], annotations?.[injectKey]].map(readSwitch);
  if (values.includes(false)) return false;
  if (values.includes(true)) return true;
  const legacy = annotations?.[legacyKey];
  return legacy === undefined ? undefined : legacy !== 'false';
}

function readSwitch(text: string | undefined): boolean | undefined {
  if (text === 'enabled' || text === 'true') return true;
  if (text === 'disabled' || text === 'false') return false;
  return undefined;
}

export interface FileSelection {
  filesOf: (containerName: string) => readonly InjectableFile[];
  /** What is wrong with the annotations, a sentence each. */
  problems: readonly string[];
}

const knownKeys: readonly string[] = [injectKey, filesKey, statusKey];

/**
 * Reads a pod's annotations about files; `offered` is what it gets without any, and `containerNames` are those that
 * annotations may be about.
 */
export function selectFiles(
  metadata: Metadata | null | undefined,
  offered: readonly InjectableFile[],
  containerNames: readonly string[],
): FileSelection {
  const problems: string[] = [];
  const read = (key: string, text: string | undefined) => {
    if (text === undefined) return undefined;
    const { files, unknown } = readFiles(text, offered);
    problems.push(...unknown.map((name) => `${key}: no file "${name}"`));
    return files;
  };
  const { annotations } = metadata ?? {};
  const { [injectKey]: inject } = { ...metadata?.labels, ...annotations };
  if (inject !== undefined && readSwitch(inject) === undefined) {
    problems.push(`${injectKey}: expected "enabled" or "disabled", got "${inject}"`);
  }
  const forAll = read(filesKey, annotations?.[filesKey]) ?? offered;
  const forOne = new Map(
    Object.entries(annotations ?? {})
      .filter(([key]) => key.startsWith(containerFilesPrefix))
      .map(([key, text]) => [key.slice(containerFilesPrefix.length), read(key, text)]),
  );
  for (const name of forOne.keys()) {
    if (!containerNames.includes(name))
      problems.push(`${containerFilesPrefix}${name}: no container "${name}"`);
  }
  for (const key of Object.keys({ ...metadata?.labels, ...annotations })) {
    if (!key.startsWith(keyPrefix) || knownKeys.includes(key)) continue;
    problems.push(`${key}: no such key, only ${knownKeys.join(', ')}`);
  }
  return { filesOf: (name) => forOne.get(name) ?? forAll, problems };
}

function readFiles(text: string, offered: readonly InjectableFile[]) {
  if (text.length > maxListLength) return { files: offered, unknown: [`${text.slice(0, 20)}…`] };
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 1 && words[0] === 'all') return { files: offered, unknown: [] };
  if (words.length === 1 && words[0] === 'none') return { files: [], unknown: [] };
  const wanted = new Set(words.map(findFile));
  return {
    files: injectableFiles.filter((file) => wanted.has(file)),
    unknown: words.filter((word) => findFile(word) === undefined),
  };
}
