// SPDX-License-Identifier: Apache-2.0
import { ask } from '../../control/client.js';
import { clientOptions, formatJson, jsonOption, withSocket } from '../client.js';
import type { Command } from '../command.js';
import { tableOptionsOf } from '../terminal.js';
import { formatViews } from '../views-output.js';

export const views: Command = {
  name: 'views',
  summary: 'Lists the containers that read from a running daemon, with limits and usage',
  operands: [],
  options: { json: jsonOption, ...clientOptions },
  examples: [
    ['lensfs views', 'a line for each container'],
    ["lensfs views --json | jq '.views[] | {name, memoryLimitBytes}'", 'for programs'],
  ],
  run: (args, io) =>
    withSocket(args, io, async (socketPath) => {
      const reply = await ask(socketPath, 'views');
      const text = args.isSet('json')
        ? formatJson(reply)
        : formatViews(reply.views, tableOptionsOf(io));
      io.stdout.write(text);
    }),
};
