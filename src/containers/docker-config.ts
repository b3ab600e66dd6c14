// SPDX-License-Identifier: Apache-2.0
// Docker's daemon.json: the runtime "lensfs", and whether it is the default one.

import { join } from 'node:path';
import {
  applyEdits,
  type JSONPath,
  modify,
  type ParseError,
  parse,
  printParseErrorCode,
} from 'jsonc-parser';
import { ContainersError } from './containers-error.js';
import { type HookOptions, type HostFile, runtimeArguments, runtimeName } from './hook-options.js';

interface DaemonJson {
  runtimes?: Record<string, { path?: string } | undefined>;
  'default-runtime'?: string;
}

export const dockerConfig: HostFile = {
  path: '/etc/docker/daemon.json',
  install: (text, options) => {
    const config = read(text);
    const previous = config['default-runtime'];
    const runtime = {
      path: join(options.binDir, 'lensfs-runtime'),
      runtimeArgs: [...runtimeArguments(options), ...chain(config, previous, options)],
    };
    const withRuntime = set(text, ['runtimes', runtimeName], runtime);
    return options.isDefault ? set(withRuntime, ['default-runtime'], runtimeName) : withRuntime;
  },
  remove: (text, original) => {
    const config = read(text);
    let result = set(text, ['runtimes', runtimeName], undefined);
    if (Object.keys(read(result).runtimes ?? { none: {} }).length === 0) {
      result = set(result, ['runtimes'], undefined);
    }
    if (config['default-runtime'] !== runtimeName) return result;
    const before = original === undefined ? undefined : read(original)['default-runtime'];
    return set(result, ['default-runtime'], before === runtimeName ? undefined : before);
  },
  reload: 'systemctl reload docker',
  usage: ({ isDefault }) =>
    isDefault
      ? 'Every container that Docker creates from now on has its own view'
      : 'docker run --runtime lensfs ...',
};

/** The default of before goes on being what runs the containers. */
function chain(
  config: DaemonJson,
  previous: string | undefined,
  { isDefault }: HookOptions,
): string[] {
  if (!isDefault || previous === undefined || previous === runtimeName) return [];
  const path = config.runtimes?.[previous]?.path;
  return path === undefined && previous === 'runc' ? [] : [`--lensfs-runtime=${path ?? previous}`];
}

function read(text: string): DaemonJson {
  if (text.trim() === '') return {};
  const errors: ParseError[] = [];
  const value = parse(text, errors, { disallowComments: true }) as unknown;
  const [first] = errors;
  if (first !== undefined) {
    const line = text.slice(0, first.offset).split('\n').length;
    const reason = printParseErrorCode(first.error);
    throw new ContainersError('unusable', `Not valid JSON, line ${line}: ${reason}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContainersError('unusable', 'Not a JSON object');
  }
  return value;
}

function set(text: string, path: JSONPath, value: unknown): string {
  const before = text.trim() === '' ? '{}\n' : text;
  if (value === undefined && !has(read(before), path)) return before;
  const indent = /^([ \t]+)"/m.exec(before)?.[1] ?? '  ';
  const formattingOptions = {
    insertSpaces: !indent.includes('\t'),
    tabSize: indent.includes('\t') ? 1 : indent.length,
    eol: '\n',
  };
  return applyEdits(before, modify(before, path, value, { formattingOptions }));
}

function has(value: unknown, [first, ...rest]: JSONPath): boolean {
  if (first === undefined) return true;
  if (typeof value !== 'object' || value === null || !(first in value)) return false;
  return has((value as Record<string, unknown>)[first], rest);
}
