// SPDX-License-Identifier: Apache-2.0
// Command line -> exit code. The one place that turns errors into exit codes.
import { codeOf, LensfsError } from '../errors.js';
import { printableLines } from '../printable.js';
import { readVersion } from '../version.js';
import { exitCodes, type Io, parseArguments, UsageError } from './command.js';
import { commandNames, loadCommand, loadCommands, wordsOf } from './commands.js';
import { formatCommandHelp, formatHelp } from './output.js';

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
    io.stderr.write(`lensfs: ${printableLines(error.message)}\n`);
    if (!(error instanceof UsageError)) return exitCodeFor(error);
    io.stderr.write('Try "lensfs --help"\n');
    return exitCodes.usage;
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [name] = argv;
  if (name === undefined) throw new UsageError('missing command');
  if (isHelp(name)) {
    io.stdout.write(formatHelp(await loadCommands()));
    return exitCodes.ok;
  }
  const group = isHelp(argv[1]) ? await loadCommands(`${name} `) : [];
  if (group.length > 0) {
    io.stdout.write(formatHelp(group, `${name} `));
    return exitCodes.ok;
  }
  if (name === '--version') {
    io.stdout.write(`${readVersion()}\n`);
    return exitCodes.ok;
  }
  const command = await loadCommand(argv);
  if (command === undefined) throw unknownCommand(argv);
  const args = parseArguments(command, argv.slice(wordsOf(command.name)));
  if (!args.isSet('help')) return await command.run(args, io);
  io.stdout.write(formatCommandHelp(command));
  return exitCodes.ok;
}

function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h' || word === 'help';
}

function unknownCommand([first = '', second]: readonly string[]): UsageError {
  const group = commandNames.filter((name) => name.startsWith(`${first} `));
  if (group.length === 0) {
    return new UsageError(`unknown ${first.startsWith('-') ? 'option' : 'command'} "${first}"`);
  }
  const what = second === undefined ? 'missing command after' : `unknown command "${second}" after`;
  return new UsageError(`${what} "${first}": one of ${group.join(', ')}`);
}

function exitCodeFor(error: LensfsError): number {
  return error.code === 'invalid_configuration' ? exitCodes.usage : exitCodes.failure;
}
