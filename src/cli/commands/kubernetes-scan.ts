// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { messageOf } from '../../errors.js';
import { KubernetesError } from '../../kubernetes/kubernetes-error.js';
import { injectKey, ownNamespace, systemNamespaces } from '../../kubernetes/names.js';
import { formatJson } from '../client.js';
import { type Arguments, type Command, exitCodes, UsageError } from '../command.js';
import {
  filesOption,
  foreignNodesOption,
  readFiles,
  readForeignNodes,
  readTreeOnNodes,
  treeOnNodesOption,
} from '../kubernetes-options.js';
import { formatFindings } from '../kubernetes-output.js';

export const kubernetesScan: Command = {
  name: 'kubernetes scan',
  summary: 'Says for each pod and workload of a file what the webhook would do, and why',
  operands: ['[FILE]'],
  options: {
    file: {
      type: 'string',
      short: 'f',
      placeholder: 'FILE',
      help: 'the same; "-" is standard input',
    },
    'namespace-label': {
      type: 'string',
      multiple: true,
      placeholder: 'KEY=VALUE',
      help: `of namespaces that are not in the file, such as ${injectKey}=enabled; may be repeated`,
    },
    tree: treeOnNodesOption,
    files: filesOption,
    'foreign-nodes': foreignNodesOption,
    json: { type: 'boolean', help: 'print JSON' },
  },
  examples: [
    ['lensfs kubernetes scan -f pods.yaml', 'before it is applied'],
    [
      'kubectl get namespaces,pods,deployments -A -o yaml | lensfs kubernetes scan -f -',
      'what a cluster has, and what it would have',
    ],
  ],
  run: async (args, io) => {
    // Here, so that the other commands start without the schemas.
    const { scan } = await import('../../kubernetes/scan.js');
    const findings = scan(await readInput(args), {
      tree: readTreeOnNodes(args),
      files: readFiles(args),
      foreignNodes: readForeignNodes(args),
      namespaceLabels: readLabels(args),
      excludedNamespaces: [...systemNamespaces, ownNamespace],
    });
    io.stdout.write(args.isSet('json') ? formatJson(findings) : formatFindings(findings));
    const isComplete = findings.every(({ verdict }) => verdict !== 'unreadable');
    return isComplete ? exitCodes.ok : exitCodes.failure;
  },
};

async function readInput(args: Arguments): Promise<string> {
  const names = [args.text('file'), ...args.positionals].filter((name) => name !== undefined);
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new UsageError('kubernetes scan: expected one file: -f FILE, or "-f -"');
  }
  try {
    return name === '-' ? await text(process.stdin) : await readFile(name, 'utf8');
  } catch (error) {
    throw new KubernetesError('unreadable', `Cannot read "${name}": ${messageOf(error)}`, error);
  }
}

function readLabels(args: Arguments): Record<string, string> {
  const pairs = args.texts('namespace-label').map((pair) => {
    const at = pair.indexOf('=');
    if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const;
    throw new UsageError(`--namespace-label: expected KEY=VALUE, got "${pair}"`);
  });
  return Object.fromEntries(pairs);
}
