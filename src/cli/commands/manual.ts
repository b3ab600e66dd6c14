// SPDX-License-Identifier: Apache-2.0
import { readVersion } from '../../version.js';
import { type Command, exitCodes, UsageError } from '../command.js';
import { formatManual, type ManualPage, manualPages } from '../manual.js';

/** The command that prints manual pages of all that `loadCommands` gives. */
export function manualOf(loadCommands: () => Promise<Command[]>): Command {
  return {
    name: 'manual',
    summary: 'Prints a manual page: lensfs or lensfs.yaml',
    operands: ['PAGE'],
    operandValues: [manualPages],
    options: {},
    examples: [
      ['lensfs manual lensfs | man -l -', 'every command and option'],
      ['lensfs manual lensfs.yaml | man -l -', 'every key of the configuration'],
    ],
    run: async ({ positionals: [page = ''] }, io) => {
      if (!manualPages.includes(page as ManualPage)) {
        throw new UsageError(`manual: expected ${manualPages.join(' or ')}, got "${page}"`);
      }
      io.stdout.write(formatManual(page as ManualPage, await loadCommands(), readVersion()));
      return exitCodes.ok;
    },
  };
}
