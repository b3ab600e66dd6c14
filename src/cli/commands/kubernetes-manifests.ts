// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../errors.js';
import { KubernetesError } from '../../kubernetes/kubernetes-error.js';
import type { ValueSources } from '../../kubernetes/manifests/parse-values.js';
import { ownNamespace } from '../../kubernetes/names.js';
import { readVersion } from '../../version.js';
import { type Arguments, type Command, exitCodes, UsageError } from '../command.js';

/** Each mode and the key that switches it on. */
const modes = {
  agent: 'agent.enabled',
  webhook: 'webhook.enabled',
  policy: 'policy.enabled',
  runtimeclass: 'runtimeClass.enabled',
} as const;

export const kubernetesManifests: Command = {
  name: 'kubernetes manifests',
  summary: 'Prints the YAML that installs lensfs in a cluster',
  operands: [],
  options: {
    mode: {
      type: 'string',
      multiple: true,
      placeholder: 'MODE',
      values: Object.keys(modes),
      help: `only this part: ${Object.keys(modes).join(', ')}; may be repeated (default: agent and webhook)`,
    },
    set: {
      type: 'string',
      multiple: true,
      placeholder: 'KEY=VALUE',
      help: 'set one of the values of the Helm chart, such as webhook.replicas=3; may be repeated',
    },
    values: { type: 'string', placeholder: 'FILE', help: 'a values file of the Helm chart' },
    namespace: {
      type: 'string',
      placeholder: 'NAME',
      help: `where it is installed (default: ${ownNamespace})`,
    },
    json: { type: 'boolean', help: 'print JSON, one List' },
  },
  examples: [
    ['lensfs kubernetes manifests | kubectl apply -f -', 'the agent on each node, and the webhook'],
    [
      'lensfs kubernetes manifests --mode agent --mode policy --set image.repository=registry/lensfs',
      'the agent, and a policy in place of the webhook',
    ],
  ],
  run: async (args, io) => {
    const sources = await readSources(args);
    // Here, so that the other commands start without the builders.
    const { printManifests } = await import('../../kubernetes/manifests/print.js');
    const namespace = args.text('namespace') ?? ownNamespace;
    const format = args.isSet('json') ? 'json' : 'yaml';
    io.stdout.write(printManifests(sources, namespace, readVersion(), format));
    return exitCodes.ok;
  },
};

async function readSources(args: Arguments): Promise<ValueSources> {
  const wanted = args.texts('mode');
  const unknown = wanted.find((mode) => !Object.hasOwn(modes, mode));
  if (unknown !== undefined) {
    throw new UsageError(`--mode: expected ${Object.keys(modes).join(', ')}, got "${unknown}"`);
  }
  const switches = wanted.length === 0 ? [] : Object.entries(modes);
  const sets = switches.map(([mode, key]) => `${key}=${wanted.includes(mode)}`);
  const name = args.text('values');
  return {
    ...(name !== undefined && { file: { name, text: await readText(name) } }),
    sets: [...sets, ...args.texts('set')],
  };
}

async function readText(name: string): Promise<string> {
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    throw new KubernetesError('unreadable', `Cannot read "${name}": ${messageOf(error)}`, error);
  }
}
