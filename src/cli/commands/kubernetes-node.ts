// SPDX-License-Identifier: Apache-2.0
import { ask } from '../../control/client.js';
import { handleSignals } from '../../daemon/lifecycle.js';
import { startupTaint } from '../../kubernetes/names.js';
import { createLogger } from '../../logger.js';
import { type Command, exitCodes, UsageError } from '../command.js';
import { findSocket, runDirOption } from '../config-options.js';
import {
  apiServerOption,
  credentialsOption,
  defaultApiServer,
  defaultCredentials,
  readInteger,
} from '../kubernetes-options.js';
import { formatProblems } from '../output.js';

export const kubernetesNode: Command = {
  name: 'kubernetes node',
  summary: 'Labels the node while the daemon serves, and takes the startup taint from it',
  operands: [],
  options: {
    name: { type: 'string', placeholder: 'NODE', help: 'the name of the node' },
    taint: { type: 'string', placeholder: 'KEY', help: `(default: ${startupTaint})` },
    'interval-ms': {
      type: 'string',
      placeholder: 'MS',
      help: 'how often the daemon is asked (default: 5000)',
    },
    'run-dir': runDirOption,
    'api-server': apiServerOption,
    credentials: credentialsOption,
  },
  examples: [['lensfs kubernetes node --name worker-1', 'beside the agent, in its pod']],
  run: async (args, io) => {
    const name = args.text('name');
    if (name === undefined) throw new UsageError('kubernetes node: missing --name');
    const intervalMs = readInteger(args, 'interval-ms', [10, 3_600_000, 5000]);
    const found = await findSocket(args);
    if (!found.ok) {
      io.stderr.write(formatProblems(found.problems));
      return exitCodes.usage;
    }
    const { markNode } = await import('../../kubernetes/node.js');
    const { ApiClient } = await import('../../kubernetes/api-client.js');
    const stop = new AbortController();
    using _signals = handleSignals({ onStop: () => stop.abort(), onReload: () => {} });
    await markNode({
      api: new ApiClient({
        server: args.text('api-server') ?? defaultApiServer,
        credentialsDir: args.text('credentials') ?? defaultCredentials,
      }),
      name,
      taint: args.text('taint') ?? startupTaint,
      isServing: () => isServing(found.socketPath),
      intervalMs,
      logger: createLogger('info'),
      signal: stop.signal,
    });
    return exitCodes.ok;
  },
};

async function isServing(socketPath: string): Promise<boolean> {
  try {
    await ask(socketPath, 'status');
    return true;
  } catch {
    return false;
  }
}
