// SPDX-License-Identifier: Apache-2.0
import { type Command, exitCodes, UsageError } from '../command.js';
import { completionScript, type Shell, shells } from '../completion/script.js';

/** The command that prints completion scripts; `commands` is asked when it runs. */
export function completionOf(commands: () => readonly Command[]): Command {
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
      io.stdout.write(completionScript(shell as Shell, commands()));
      return exitCodes.ok;
    },
  };
}
