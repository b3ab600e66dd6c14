// SPDX-License-Identifier: Apache-2.0
import {
  type Completable,
  type CompletableOption,
  firstWords,
  groups,
  listContainers,
  secondWord,
  shellQuote,
  spellings,
  type Value,
} from './completable.js';

/** A function that is autoloaded as `_lensfs` from a directory of fpath, or a script that is sourced. */
export function zshScript(commands: readonly Completable[]): string {
  const cases = groups(commands).map(
    ([group, members]) => `    ${group})
      commands=(
${described(members.map((member) => [secondWord(member), member.summary]))}      )
      if ((CURRENT == 2)); then _describe command commands; return; fi
      command+=" $words[2]"
      shift words
      ((CURRENT--))
      ;;
`,
  );
  return `#compdef lensfs
_lensfs() {
  local command
  local -a commands=(
${described(firstWords(commands))}  )
  if ((CURRENT == 2)); then
    if [[ $PREFIX == -* ]]; then _arguments '--help[print help]' '--version[print the version]'
    else _describe command commands; fi
    return
  fi
  shift words
  ((CURRENT--))
  command=$words[1]
  case $command in
${cases.join('')}  esac
  case $command in
${commands.map(argumentsCase).join('')}  esac
}
_lensfs_containers() {
  local -a names=(\${(f)"$(${listContainers})"})
  compadd "$@" -a names
}
# Autoloaded, this file is the body of the function that is called; sourced, it says what it is for.
if [[ $funcstack[1] == _lensfs ]]; then
  _lensfs "$@"
else
  compdef _lensfs lensfs
fi
`;
}

function described(rows: readonly (readonly [word: string, summary: string])[]): string {
  return rows.map(([word, summary]) => `    '${word}:${escaped(summary)}'\n`).join('');
}

function argumentsCase({ name, options, operands }: Completable): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...operands.map((operand, index) => {
      const what = escaped(operand.placeholder);
      return `${index + 1}:${what}:${action(operand)}`;
    }),
  ];
  return `    '${name}') _arguments ${specs.map((spec) => `\\\n      '${spec}'`).join(' ')} ;;\n`;
}

function optionSpecs(option: CompletableOption): string[] {
  const { help, isRepeatable, value } = option;
  const all = spellings(option);
  const once = all.length > 1 ? `(${all.join(' ')})` : '';
  const argument = value === undefined ? '' : `:${escaped(value.placeholder)}:${action(value)}`;
  return all.map((spelling) => {
    const long = value !== undefined && spelling.startsWith('--') ? '=' : '';
    return `${isRepeatable ? '*' : once}${spelling}${long}[${escaped(help)}]${argument}`;
  });
}

function action(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `(${shellQuote(value.words.join(' '))})`;
    // A space in front: what follows is run as it stands.
    case 'list':
      return ` _sequence compadd - ${value.words.join(' ')}`;
    case 'keys':
      return ` compadd -S = - ${value.words.join(' ')}`;
    case 'containers':
      return '_lensfs_containers';
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'free':
      return ' ';
  }
}

/** Within single quotes, and the brackets and colons of _arguments. */
function escaped(text: string): string {
  return shellQuote(text).replace(/[[\]:]/g, '\\$&');
}
