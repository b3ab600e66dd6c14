// SPDX-License-Identifier: Apache-2.0
import { type Command, exitCodes, UsageError } from '../command.js';
import { completionScript, type Shell, shells } from '../completion/script.js';

/** The command that prints completion scripts of all that `loadCommands` gives. */
export function completionOf(loadCommands: () => Promise<Command[]>): Command {
  return {
    name: 'completion',
    summary: 'Prints a completion script: bash, zsh or fish',
    operands: ['SHELL'],
    operandValues: [shells],
    options: {},
    examples: [
      ['source <(lensfs completion bash)', 'for this shell'],
      ['lensfs completion fish >~/.config/fish/completions/lensfs.fish', 'for good'],
    ],
    run: async ({ positionals: [shell = ''] }, io) => {
      if (!shells.includes(shell as Shell)) {
        throw new UsageError(`completion: expected ${shells.join(', ')}, got "${shell}"`);
      }
      io.stdout.write(completionScript(shell as Shell, await loadCommands()));
      return exitCodes.ok;
    },
  };
}
