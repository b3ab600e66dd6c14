// SPDX-License-Identifier: Apache-2.0
import { askToStop } from '../../control/client.js';
import { type Command, exitCodes } from '../command.js';
import { configOption, findSocket, runDirOption } from '../config-options.js';
import { formatProblems } from '../output.js';

export const stop: Command = {
  name: 'stop',
  summary: 'Stops a running daemon and returns when it has stopped',
  operands: [],
  options: { config: configOption, 'run-dir': runDirOption },
  examples: [
    ['lensfs stop', 'the daemon of /run/lensfs'],
    ['lensfs stop --run-dir /run/lens', 'another one'],
  ],
  run: async (args, io) => {
    const found = await findSocket(args);
    if (!found.ok) {
      io.stderr.write(formatProblems(found.problems));
      return exitCodes.usage;
    }
    await askToStop(found.socketPath);
    return exitCodes.ok;
  },
};
