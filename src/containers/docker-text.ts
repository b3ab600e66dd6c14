// SPDX-License-Identifier: Apache-2.0
// The text of Docker's daemon.json with the runtime "lensfs", and without it again. Pure.

import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  applyEdits,
  type JSONPath,
  modify,
  type ParseError,
  parse,
  printParseErrorCode,
} from 'jsonc-parser';
import { ContainersError } from './containers-error.js';
import { type HookOptions, runtimeArguments, runtimeName } from './hook-options.js';

interface DockerRuntime {
  path?: string;
  runtimeArgs?: string[];
  /** Of a shim, in place of a path. */
  runtimeType?: string;
  options?: Record<string, unknown>;
}

export interface DaemonJson {
  runtimes?: Record<string, DockerRuntime | undefined>;
  'default-runtime'?: string;
  'data-root'?: string;
}

const chainFlag = '--lensfs-runtime=';

/**
 * `defaultName` is that of dockerd's command line, if it has one.
 *
 * @throws ContainersError "unusable" when it is no JSON, or ours cannot stand in front of the default of before
 */
export function installDocker(text: string, options: HookOptions, defaultName?: string): string {
  const config = readDaemonJson(text);
  const path = join(options.binDir, 'lensfs-runtime');
  const name = defaultName ?? config['default-runtime'] ?? 'runc';
  const runtimeArgs = [...runtimeArguments(options), ...chain(config, name, options)];
  const withRuntime = set(text, ['runtimes', runtimeName], { path, runtimeArgs });
  return options.isDefault ? set(withRuntime, ['default-runtime'], runtimeName) : withRuntime;
}

/**
 * The text without what `installDocker` has added; `original` is the text before it, if that is known. With `isNamed`
 * the runtime stays for containers that name it, and is the one of before.
 */
export function removeDocker(text: string, original: string | undefined, isNamed = false): string {
  const config = readDaemonJson(text);
  const own = config.runtimes?.[runtimeName];
  if (own === undefined && config['default-runtime'] !== runtimeName) return text;
  const first = original === undefined ? undefined : readDaemonJson(original);
  const former = formerName(config, first);
  if (isNamed) {
    const kept = set(text, ['runtimes', runtimeName], leaveBehind(own));
    const isDefault = config['default-runtime'] === runtimeName;
    return isDefault ? set(kept, ['default-runtime'], former ?? 'runc') : kept;
  }
  let result = set(text, ['runtimes', runtimeName], undefined);
  if (Object.keys(readDaemonJson(result).runtimes ?? { none: {} }).length === 0) {
    result = set(result, ['runtimes'], undefined);
  }
  const isOurs = config['default-runtime'] === runtimeName || isLeftBy(config, first);
  if (isOurs) result = set(result, ['default-runtime'], former);
  const isSame = first !== undefined && isDeepStrictEqual(readDaemonJson(result), first);
  return isSame ? (original ?? result) : result;
}

export function readDaemonJson(text: string): DaemonJson {
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

/** The default of before goes on being what runs the containers, with its arguments. */
function chain(config: DaemonJson, name: string, { isDefault }: HookOptions): string[] {
  const runtime = config.runtimes?.[name];
  const reason = whyNoProgram(name, runtime);
  if (reason !== undefined) {
    if (!isDefault) return [];
    const advice = 'without --default, containers have their view by "--runtime lensfs"';
    throw new ContainersError(
      'unusable',
      `Cannot be kept: the default runtime "${name}" ${reason}; ${advice}`,
    );
  }
  if (runtime === undefined) {
    return /^(?:runc|io\.containerd\.runc\..*)$/.test(name) ? [] : [`${chainFlag}${name}`];
  }
  const path = runtime.path ?? runtime.options?.['BinaryName'];
  if (path === undefined) return [];
  return [`${chainFlag}${String(path)}`, ...(runtime.runtimeArgs ?? [])];
}

/** Why it cannot be run by another program; undefined when it can. */
function whyNoProgram(name: string, runtime: DockerRuntime = {}): string | undefined {
  const { path, options = {} } = runtime;
  const type = runtime.runtimeType ?? (name.startsWith('io.containerd.') ? name : undefined);
  if (path === undefined && type !== undefined && !type.startsWith('io.containerd.runc.')) {
    return `is the shim ${type}`;
  }
  const program = path?.split('/').at(-1) ?? '';
  if (/^(?:kata|runsc|krun|containerd-shim)/.test(program)) {
    return `is ${program}, whose containers have a kernel of their own`;
  }
  const more = Object.keys(options).filter((key) => key !== 'BinaryName');
  return more.length === 0 ? undefined : `has the options ${more.join(', ')}`;
}

/** The name of the default of before, as our own entry tells it, or else the file that was there. */
function formerName(config: DaemonJson, first: DaemonJson | undefined): string | undefined {
  const { path, runtimeArgs } = passThrough(config.runtimes?.[runtimeName]);
  const found = Object.entries(config.runtimes ?? {}).find(([name, runtime]) => {
    const own = runtime?.path ?? runtime?.options?.['BinaryName'];
    return (
      name !== runtimeName &&
      own === path &&
      isDeepStrictEqual(runtime?.runtimeArgs ?? [], runtimeArgs ?? [])
    );
  });
  const told = first?.['default-runtime'];
  return found?.[0] ?? (told === runtimeName ? undefined : told);
}

/** The runtime that ours stands in front of. */
function passThrough(own: DockerRuntime | undefined): DockerRuntime {
  if (own !== undefined && !isOurs(own)) return own;
  const args = own?.runtimeArgs ?? [];
  const at = args.findIndex((word) => word.startsWith(chainFlag));
  if (at < 0) return { path: 'runc' };
  const rest = args.slice(at + 1);
  const path = args[at]?.slice(chainFlag.length) ?? 'runc';
  return rest.length === 0 ? { path } : { path, runtimeArgs: rest };
}

/**
 * The same, for containers that run: Docker has made a program of a runtime with arguments, by which they are ended, and
 * takes that away from a runtime without.
 */
function leaveBehind(own: DockerRuntime | undefined): DockerRuntime {
  const former = passThrough(own);
  const isProgram = (own?.runtimeArgs ?? []).length > 0 && former !== own;
  if (!isProgram || former.runtimeArgs !== undefined || former.path === undefined) return former;
  return { path: '/usr/bin/env', runtimeArgs: [former.path] };
}

function isOurs(runtime: DockerRuntime | undefined): boolean {
  return runtime?.path?.endsWith('/lensfs-runtime') ?? false;
}

/** A default that was written for the containers which named ours, in a file that had none. */
function isLeftBy(config: DaemonJson, first: DaemonJson | undefined): boolean {
  const isLeft = config['default-runtime'] === 'runc' && !isOurs(config.runtimes?.[runtimeName]);
  return isLeft && first?.['default-runtime'] === undefined;
}

function set(text: string, path: JSONPath, value: unknown): string {
  const before = text.trim() === '' ? '{}\n' : text;
  if (value === undefined && !has(readDaemonJson(before), path)) return before;
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
