// SPDX-License-Identifier: Apache-2.0
// What a command is, and how its arguments are read.
import { parseArgs } from 'node:util';
import { codeOf, LensfsError, messageOf } from '../errors.js';

/** Where a command writes: data to stdout, all else to stderr. */
export interface Io {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WritableStream;
}

export const exitCodes = {
  ok: 0,
  /** It could not be done. */
  failure: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
} as const;

/** What the exit codes mean, for people. */
export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.ok, 'done'],
  [exitCodes.failure, 'it could not be done; standard error says why'],
  [exitCodes.usage, 'the command line or the configuration is wrong'],
];

export interface Option {
  type: 'string' | 'boolean';
  multiple?: boolean;
  /** One letter, for an option that people know from other programs. */
  short?: string;
  /** What stands for the value in the help, such as "FILE". */
  placeholder?: string;
  /** What the value may be, where that is known, for completion. */
  values?: readonly string[];
  help: string;
}

/** The arguments of one call. */
export interface Arguments {
  positionals: string[];
  /** The option's value, of several the last. */
  text: (name: string) => string | undefined;
  /** All values of an option that may be given more than once. */
  texts: (name: string) => string[];
  isSet: (name: string) => boolean;
}

export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** Names of what is not an option, such as ["FILE"]; one in brackets may be left out. */
  operands: readonly string[];
  /** What each operand may be, where that is known, for completion. */
  operandValues?: readonly (readonly string[] | undefined)[];
  options: Record<string, Option>;
  /** Command lines with an explanation each. */
  examples: readonly (readonly [commandLine: string, meaning: string])[];
  /** Resolves to the exit code. */
  run: (args: Arguments, io: Io) => Promise<number>;
}

/** The command line is wrong; `code` is "usage". */
export class UsageError extends LensfsError {
  override readonly name = 'UsageError';

  constructor(message: string, cause?: unknown) {
    super('usage', message, cause);
  }
}

/**
 * Reads a command's arguments; "--help" makes the operands optional.
 *
 * @throws UsageError
 */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const { values, positionals } = readArguments(command, argv);
  const texts = (name: string) => [values[name]].flat().filter((text) => typeof text === 'string');
  const args: Arguments = {
    positionals,
    texts,
    text: (name) => texts(name).at(-1),
    isSet: (name) => values[name] === true,
  };
  if (args.isSet('help')) return args;
  const missing = command.operands[positionals.length];
  if (missing !== undefined && !missing.startsWith('['))
    throw new UsageError(`${command.name}: missing ${missing}`);
  const extra = positionals[command.operands.length];
  if (extra !== undefined) throw new UsageError(`${command.name}: unexpected argument "${extra}"`);
  return args;
}

interface RawArguments {
  values: Record<string, string | boolean | (string | boolean)[] | undefined>;
  positionals: string[];
}

function readArguments(command: Command, argv: readonly string[]): RawArguments {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, multiple, short }]) => [
      name,
      { type, multiple: multiple === true, ...(short !== undefined && { short }) },
    ]),
  );
  try {
    return parseArgs({
      args: [...argv],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
  } catch (error) {
    if (!codeOf(error)?.startsWith('ERR_PARSE_ARGS')) throw error;
    // The first sentence says what is wrong, the others how to pass odd positionals.
    const [reason = ''] = messageOf(error).split('. ');
    throw new UsageError(`${command.name}: ${reason.replaceAll("'", '"')}`, error);
  }
}
