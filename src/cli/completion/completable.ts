// SPDX-License-Identifier: Apache-2.0
// Commands as the completion scripts need them. Pure.
import type { Command } from '../command.js';
import { helpOption } from '../output.js';

/**
 * What is offered for a value: one word, words of a list with commas, keys before "=", names of files, directories or
 * containers, or nothing.
 */
export type Value =
  | { kind: 'words' | 'list' | 'keys'; words: readonly string[] }
  | { kind: 'file' | 'directory' | 'containers' | 'free' };

/** Prints the names of those that read from the usual daemon; nothing where none runs. */
export const listContainers =
  'lensfs views 2>/dev/null | sed "1d; /^(/d; s/ .*//; /[^A-Za-z0-9_./:@=-]/d"';

export interface CompletableOption {
  name: string;
  short?: string;
  help: string;
  isRepeatable: boolean;
  /** Missing for a switch. */
  value?: Value & { placeholder: string };
}

export interface Completable {
  /** One word, or two such as "kubernetes scan". */
  name: string;
  summary: string;
  options: readonly CompletableOption[];
  operands: readonly (Value & { placeholder: string })[];
}

export function completable({
  name,
  summary,
  operands,
  operandValues,
  options,
}: Command): Completable {
  return {
    name,
    summary,
    options: Object.entries({ ...options, help: helpOption }).map(([option, spec]) => ({
      name: option,
      ...(spec.short !== undefined && { short: spec.short }),
      help: spec.help,
      isRepeatable: spec.multiple === true,
      ...(spec.type === 'string' && {
        value: {
          placeholder: spec.placeholder ?? 'VALUE',
          ...offeredFor(spec.placeholder, spec.values),
        },
      }),
    })),
    operands: operands.map((operand, index) => {
      const placeholder = operand.replace(/[[\]]/g, '');
      return { placeholder, ...offeredFor(placeholder, operandValues?.[index]) };
    }),
  };
}

function offeredFor(placeholder: string | undefined, words: readonly string[] | undefined): Value {
  if (words !== undefined) return { kind: wordKinds[placeholder ?? ''] ?? 'words', words };
  return { kind: nameKinds[placeholder ?? ''] ?? 'free' };
}

const wordKinds: Record<string, 'list' | 'keys'> = {
  LIST: 'list',
  NAMES: 'list',
  'KEY=VALUE': 'keys',
};
const nameKinds: Record<string, 'file' | 'directory' | 'containers'> = {
  FILE: 'file',
  DIR: 'directory',
  CONTAINER: 'containers',
};

/** How an option is written, such as ["--file", "-f"]. */
export function spellings({ name, short }: CompletableOption): string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
}

/** How the options are written that take a value. */
export function valuedSpellings({ options }: Completable): string[] {
  return options.filter(({ value }) => value !== undefined).flatMap(spellings);
}

/** The first words of commands that have two: "kubernetes", with the commands behind it. */
export function groups(commands: readonly Completable[]): [group: string, Completable[]][] {
  const found = new Map<string, Completable[]>();
  for (const command of commands) {
    const [first = '', second] = command.name.split(' ');
    if (second !== undefined) found.set(first, [...(found.get(first) ?? []), command]);
  }
  return [...found];
}

/** What may be the first word, with its summary. */
export function firstWords(commands: readonly Completable[]): [word: string, summary: string][] {
  const single = commands.filter(({ name }) => !name.includes(' '));
  return [
    ...single.map(({ name, summary }): [string, string] => [name, summary]),
    ...groups(commands).map(([group, members]): [string, string] => [
      group,
      `Commands: ${members.map(secondWord).join(', ')}`,
    ]),
  ];
}

export function secondWord({ name }: Completable): string {
  return name.split(' ')[1] ?? '';
}

/** Within single quotes of bash and zsh. */
export function shellQuote(text: string): string {
  return text.replace(/'/g, "'\\''");
}
