// SPDX-License-Identifier: Apache-2.0
import { askToStop } from '../../control/client.js';
import { clientOptions, formatJson, jsonOption, withSocket } from '../client.js';
import type { Command } from '../command.js';

export const stop: Command = {
  name: 'stop',
  summary: 'Stops a running daemon and returns when it has stopped',
  operands: [],
  options: { json: jsonOption, ...clientOptions },
  examples: [
    ['lensfs stop', 'the daemon of /run/lensfs'],
    ['lensfs stop --run-dir /run/lens', 'another one'],
  ],
  run: (args, io) =>
    withSocket(args, io, async (socketPath) => {
      await askToStop(socketPath);
      if (args.isSet('json')) io.stdout.write(formatJson({ stopped: true }));
    }),
};
