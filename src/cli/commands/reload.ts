// SPDX-License-Identifier: Apache-2.0
import { ask } from '../../control/client.js';
import { type Command, exitCodes } from '../command.js';
import { configOption, findSocket, runDirOption } from '../config-options.js';
import { formatProblems, formatReload } from '../output.js';

export const reload: Command = {
  name: 'reload',
  summary: 'Makes a running daemon read its configuration again',
  operands: [],
  options: { config: configOption, 'run-dir': runDirOption },
  examples: [
    ['lensfs reload', 'prints the keys that changed, and those that need a restart'],
    ['lensfs reload --run-dir /run/lens', 'another daemon'],
  ],
  run: async (args, io) => {
    const found = await findSocket(args);
    if (!found.ok) {
      io.stderr.write(formatProblems(found.problems));
      return exitCodes.usage;
    }
    io.stdout.write(formatReload(await ask(found.socketPath, 'reload')));
    return exitCodes.ok;
  },
};
