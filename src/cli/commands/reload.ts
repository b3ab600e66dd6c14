// SPDX-License-Identifier: Apache-2.0
import { ask } from '../../control/client.js';
import { clientOptions, formatJson, jsonOption, withSocket } from '../client.js';
import type { Command } from '../command.js';
import { formatReload } from '../output.js';

export const reload: Command = {
  name: 'reload',
  summary: 'Makes a running daemon read its configuration again',
  operands: [],
  options: { json: jsonOption, ...clientOptions },
  examples: [
    ['lensfs reload', 'prints the keys that changed, and those that need a restart'],
    ['lensfs reload --run-dir /run/lens', 'another daemon'],
  ],
  run: (args, io) =>
    withSocket(args, io, async (socketPath) => {
      const reply = await ask(socketPath, 'reload');
      io.stdout.write(args.isSet('json') ? formatJson(reply) : formatReload(reply));
    }),
};
