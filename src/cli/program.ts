// SPDX-License-Identifier: Apache-2.0
// Command line -> exit code. The one place that turns errors into exit codes.
import { codeOf, LensfsError } from '../errors.js';
import { readVersion } from '../version.js';
import { type Command, exitCodes, type Io, parseArguments, UsageError } from './command.js';
import { reload } from './commands/reload.js';
import { serve } from './commands/serve.js';
import { show } from './commands/show.js';
import { stage } from './commands/stage.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { formatCommandHelp, formatHelp } from './output.js';

const commands: readonly Command[] = [serve, stage, show, status, reload, stop];

/** Runs one command line, without the program's name in front; resolves to the exit code. */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  // A reader that has seen enough ("| head") is no failure.
  io.stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') throw error;
  });
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (!(error instanceof LensfsError)) throw error;
    io.stderr.write(`lensfs: ${error.message}\n`);
    if (!(error instanceof UsageError)) return exitCodeFor(error);
    io.stderr.write('Try "lensfs --help"\n');
    return exitCodes.usage;
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<number> {
  if (name === undefined) throw new UsageError('missing command');
  if (name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(formatHelp(commands));
    return exitCodes.ok;
  }
  if (name === '--version') {
    io.stdout.write(`${readVersion()}\n`);
    return exitCodes.ok;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const what = name.startsWith('-') ? 'option' : 'command';
    throw new UsageError(`unknown ${what} "${name}"`);
  }
  const args = parseArguments(command, rest);
  if (!args.isSet('help')) return await command.run(args, io);
  io.stdout.write(formatCommandHelp(command));
  return exitCodes.ok;
}

function exitCodeFor(error: LensfsError): number {
  return error.code === 'invalid_configuration' ? exitCodes.usage : exitCodes.failure;
}
