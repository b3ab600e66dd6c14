// SPDX-License-Identifier: Apache-2.0
// Completion scripts for shells, made from the table of commands. Pure.
import type { Command } from './command.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The script that a shell is to read. */
export function completionScript(shell: Shell, all: readonly Command[]): string {
  const commands = byFirstWord(all);
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

type Completable = Pick<Command, 'name' | 'summary' | 'options' | 'words'>;

/** "kubernetes manifests" and "kubernetes webhook" are completed as words of "kubernetes". */
function byFirstWord(commands: readonly Command[]): Completable[] {
  const found = new Map<string, Completable>();
  for (const { name, summary, options, words } of commands) {
    const [first = '', second] = name.split(' ');
    const known = found.get(first);
    const own = second === undefined ? words : [...(known?.words ?? []), second];
    found.set(first, {
      name: first,
      summary: known?.summary ?? summary,
      options: { ...known?.options, ...options },
      ...(own === undefined ? {} : { words: own }),
    });
  }
  return [...found.values()];
}

function optionsOf({ options }: Completable): string[] {
  return [...Object.keys(options), 'help'].map((name) => `--${name}`);
}

/** Options whose value is a file or directory. */
function pathOptions(commands: readonly Completable[]): string[] {
  const names = commands.flatMap(({ options }) =>
    Object.entries(options)
      .filter(([, { placeholder = '' }]) => ['FILE', 'DIR'].includes(placeholder))
      .map(([name]) => `--${name}`),
  );
  return [...new Set(names)];
}

function bash(commands: readonly Completable[]): string {
  const cases = commands.map((command) => {
    const words = [...optionsOf(command), ...(command.words ?? [])].join(' ');
    return `    ${command.name}) words='${words}' ;;\n`;
  });
  return `# bash completion of lensfs: source <(lensfs completion bash)
_lensfs() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=
  case $previous in
    ${pathOptions(commands).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if ((COMP_CWORD == 1)); then
    words='${[...commands.map(({ name }) => name), '--help', '--version'].join(' ')}'
  else case \${COMP_WORDS[1]} in
${cases.join('')}  esac fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _lensfs lensfs
`;
}

function zsh(commands: readonly Completable[]): string {
  const names = commands.map(({ name, summary }) => `    '${name}:${quote(summary)}'\n`);
  const cases = commands.map((command) => {
    const options = Object.entries(command.options).map(([name, { help, placeholder }]) => {
      const value = placeholder === undefined ? '' : `:${placeholder}:${zshValue(placeholder)}`;
      return `'--${name}[${quote(help)}]${value}'`;
    });
    const words = command.words === undefined ? '' : ` '1:word:(${command.words.join(' ')})'`;
    return `    ${command.name}) _arguments ${options.join(' ')} '--help[print this help]'${words} ;;\n`;
  });
  return `#compdef lensfs
_lensfs() {
  local -a commands=(
${names.join('')}  )
  if ((CURRENT == 2)); then _describe command commands; return; fi
  shift words; ((CURRENT--))
  case $words[1] in
${cases.join('')}  esac
}
compdef _lensfs lensfs
`;
}

function zshValue(placeholder: string): string {
  if (placeholder === 'FILE') return '_files';
  return placeholder === 'DIR' ? '_files -/' : '';
}

function fish(commands: readonly Completable[]): string {
  const lines = commands.flatMap((command) => {
    const at = `-n '__fish_seen_subcommand_from ${command.name}'`;
    const options = Object.entries(command.options).map(([name, { help, placeholder }]) => {
      const isPath = placeholder === 'FILE' || placeholder === 'DIR';
      const value = placeholder === undefined ? '' : isPath ? ' -r -F' : ' -x';
      return `complete -c lensfs ${at} -l ${name}${value} -d '${fishQuote(help)}'`;
    });
    const words = command.words ?? [];
    return [
      `complete -c lensfs -n __fish_use_subcommand -a ${command.name} -d '${fishQuote(command.summary)}'`,
      ...options,
      ...(words.length === 0 ? [] : [`complete -c lensfs ${at} -a '${words.join(' ')}'`]),
    ];
  });
  return `complete -c lensfs -f\n${lines.join('\n')}\n`;
}

/** Within single quotes and the brackets of _arguments. */
function quote(text: string): string {
  return text.replace(/'/g, "'\\''").replace(/[[\]:]/g, '\\$&');
}

function fishQuote(text: string): string {
  return text.replace(/[\\']/g, '\\$&');
}
