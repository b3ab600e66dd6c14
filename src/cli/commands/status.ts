// SPDX-License-Identifier: Apache-2.0
import { ask } from '../../control/client.js';
import { formatJson } from '../client.js';
import { type Command, exitCodes } from '../command.js';
import { configOption, findSocket, runDirOption } from '../config-options.js';
import { formatProblems, formatStatus } from '../output.js';

export const status: Command = {
  name: 'status',
  summary: 'Prints what a running daemon does',
  operands: [],
  options: {
    json: { type: 'boolean', help: 'print JSON' },
    config: configOption,
    'run-dir': runDirOption,
  },
  examples: [
    ['lensfs status', 'the daemon of /run/lensfs'],
    [
      'lensfs status --json | jq .fallbacks',
      "what could not be answered with the container's values",
    ],
  ],
  run: async (args, io) => {
    const found = await findSocket(args);
    if (!found.ok) {
      io.stderr.write(formatProblems(found.problems));
      return exitCodes.usage;
    }
    const reply = await ask(found.socketPath, 'status');
    const text = args.isSet('json') ? formatJson(reply) : formatStatus(reply);
    io.stdout.write(text);
    return exitCodes.ok;
  },
};
