// SPDX-License-Identifier: Apache-2.0
import { handleSignals } from '../../daemon/lifecycle.js';
import { certificateSecretName, ownNamespace } from '../../kubernetes/names.js';
import { logLevels } from '../../log-levels.js';
import { type Arguments, type Command, exitCodes, UsageError } from '../command.js';
import {
  apiServerOption,
  credentialsOption,
  defaultApiServer,
  defaultCredentials,
  filesOption,
  foreignNodesOption,
  readChoice,
  readFiles,
  readForeignNodes,
  readInteger,
  readTreeOnNodes,
  treeOnNodesOption,
} from '../kubernetes-options.js';

const tlsModes = ['self-managed', 'files'] as const;
const defaultTlsDir = '/etc/lensfs/tls';

export const kubernetesWebhook: Command = {
  name: 'kubernetes webhook',
  summary: 'Answers admission reviews over HTTPS: pods that ask for it get the view by themselves',
  operands: [],
  options: {
    port: { type: 'string', placeholder: 'N', help: 'of the reviews (default: 8443)' },
    'metrics-port': {
      type: 'string',
      placeholder: 'N',
      help: 'of /healthz, /readyz and /metrics, over HTTP (default: 9443)',
    },
    host: { type: 'string', placeholder: 'ADDRESS', help: 'to listen on (default: all)' },
    tree: treeOnNodesOption,
    files: filesOption,
    'foreign-nodes': foreignNodesOption,
    tls: {
      type: 'string',
      placeholder: 'MODE',
      values: tlsModes,
      help: 'self-managed: makes and renews its certificate; files: tls.crt and tls.key of --tls-dir (default: self-managed)',
    },
    'tls-dir': { type: 'string', placeholder: 'DIR', help: `(default: ${defaultTlsDir})` },
    'client-ca': {
      type: 'string',
      placeholder: 'FILE',
      help: 'answers only clients with a certificate of these authorities, PEM (default: everybody)',
    },
    'client-names': {
      type: 'string',
      placeholder: 'NAMES',
      help: 'and with one of these common names, such as kube-apiserver (default: any)',
    },
    namespace: {
      type: 'string',
      placeholder: 'NAME',
      help: `its own, for its Service and Secret (default: ${ownNamespace})`,
    },
    secret: {
      type: 'string',
      placeholder: 'NAME',
      help: `where replicas share the certificate (default: ${certificateSecretName})`,
    },
    'api-server': apiServerOption,
    credentials: credentialsOption,
    'certificate-interval-ms': {
      type: 'string',
      placeholder: 'MS',
      help: 'how often a new certificate is looked for (default: 30000)',
    },
    'drain-ms': {
      type: 'string',
      placeholder: 'MS',
      help: 'how long it goes on after SIGTERM, while it says that it is not ready (default: 5000)',
    },
    'log-level': {
      type: 'string',
      placeholder: 'LEVEL',
      values: logLevels,
      help: '(default: info)',
    },
  },
  examples: [
    ['lensfs kubernetes webhook', 'in a pod of the Deployment that "kubernetes manifests" prints'],
    [
      'lensfs kubernetes webhook --tls files --tls-dir /tls --files cpuinfo,meminfo',
      'with a certificate of cert-manager, and two files for each pod',
    ],
  ],
  run: async (args) => {
    const stop = new AbortController();
    const options = readOptions(args, stop.signal);
    // Here, so that the other commands start without the HTTP and certificate libraries.
    const { runWebhook } = await import('../../kubernetes/webhook.js');
    using _signals = handleSignals({ onStop: () => stop.abort(), onReload: () => {} });
    await runWebhook(options);
    return exitCodes.ok;
  },
};

function readOptions(args: Arguments, signal: AbortSignal) {
  return {
    host: args.text('host'),
    port: readInteger(args, 'port', [0, 65_535, 8443]),
    metricsPort: readInteger(args, 'metrics-port', [0, 65_535, 9443]),
    review: {
      tree: readTreeOnNodes(args),
      files: readFiles(args),
      foreignNodes: readForeignNodes(args),
    },
    tls: {
      mode: readChoice(args, 'tls', tlsModes, 'self-managed'),
      directory: args.text('tls-dir') ?? defaultTlsDir,
      intervalMs: readInteger(args, 'certificate-interval-ms', [10, 3_600_000, 30_000]),
    },
    clients: readClients(args),
    cluster: {
      server: args.text('api-server') ?? defaultApiServer,
      credentialsDir: args.text('credentials') ?? defaultCredentials,
      namespace: args.text('namespace') ?? ownNamespace,
      secretName: args.text('secret') ?? certificateSecretName,
    },
    drainMs: readInteger(args, 'drain-ms', [0, 600_000, 5000]),
    logLevel: readChoice(args, 'log-level', logLevels, 'info'),
    signal,
  };
}

function readClients(args: Arguments) {
  const caFile = args.text('client-ca');
  const names = (args.text('client-names') ?? '').split(',').filter((name) => name !== '');
  if (caFile !== undefined) return { caFile, names };
  if (names.length > 0) throw new UsageError('--client-names: needs --client-ca');
  return undefined;
}
