// SPDX-License-Identifier: Apache-2.0
// Options that the commands about Kubernetes share, and how they are read.
import { defaultTree } from '../config/schema.js';
import {
  fileNames,
  findFile,
  type InjectableFile,
  injectableFiles,
  shortName,
} from '../kubernetes/files.js';
import { defaultForeignNodes, foreignNodeLabel } from '../kubernetes/skip.js';
import { type Arguments, type Option, UsageError } from './command.js';

export const treeOnNodesOption: Option = {
  type: 'string',
  placeholder: 'DIR',
  help: `the public tree on the nodes (default: ${defaultTree})`,
};

export const filesOption: Option = {
  type: 'string',
  placeholder: 'NAMES',
  values: injectableFiles.map(shortName),
  help: `files that a pod gets which names none, such as cpuinfo,meminfo (default: ${injectableFiles.length} files)`,
};

export const foreignNodesOption: Option = {
  type: 'string',
  placeholder: 'LABELS',
  help: `pods that ask for nodes with one of these labels get no view (default: ${defaultForeignNodes.join(',')})`,
};

export const defaultApiServer = 'https://kubernetes.default.svc';
export const defaultCredentials = '/var/run/secrets/kubernetes.io/serviceaccount';

export const apiServerOption: Option = {
  type: 'string',
  placeholder: 'URL',
  help: `(default: ${defaultApiServer})`,
};

export const credentialsOption: Option = {
  type: 'string',
  placeholder: 'DIR',
  help: `token and ca.crt for the API server (default: ${defaultCredentials})`,
};

/** @throws UsageError */
export function readTreeOnNodes(args: Arguments): string {
  const tree = args.text('tree') ?? defaultTree;
  if (tree.startsWith('/')) return tree;
  throw new UsageError(`--tree: expected an absolute path, got "${tree}"`);
}

/** @throws UsageError */
export function readFiles(args: Arguments): readonly InjectableFile[] {
  const text = args.text('files');
  if (text === undefined) return injectableFiles;
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.find((word) => findFile(word) === undefined);
  if (unknown !== undefined) {
    throw new UsageError(`--files: no file "${unknown}": one of ${fileNames()}`);
  }
  const wanted = new Set(words.map(findFile));
  return injectableFiles.filter((file) => wanted.has(file));
}

/** @throws UsageError */
export function readForeignNodes(args: Arguments): readonly string[] {
  const text = args.text('foreign-nodes');
  if (text === undefined) return defaultForeignNodes;
  const labels = text.split(',').filter((label) => label !== '');
  const wrong = labels.find((label) => !foreignNodeLabel.test(label));
  if (wrong === undefined) return labels;
  throw new UsageError(`--foreign-nodes: expected labels such as key=value, got "${wrong}"`);
}

/** @throws UsageError */
export function readInteger(
  args: Arguments,
  option: string,
  [min, max, fallback]: readonly [min: number, max: number, fallback: number],
): number {
  const text = args.text(option);
  if (text === undefined) return fallback;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${option}: expected an integer from ${min} to ${max}, got "${text}"`);
}

/** @throws UsageError */
export function readChoice<const T extends string>(
  args: Arguments,
  option: string,
  choices: readonly T[],
  fallback: NoInfer<T>,
): T {
  const text = args.text(option);
  if (text === undefined) return fallback;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${option}: expected ${choices.join(' or ')}, got "${text}"`);
}
