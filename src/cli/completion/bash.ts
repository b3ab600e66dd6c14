// SPDX-License-Identifier: Apache-2.0
import {
  type Completable,
  firstWords,
  groups,
  listContainers,
  secondWord,
  shellQuote,
  spellings,
  type Value,
  valuedSpellings,
} from './completable.js';

/** For bash 4.4 or newer, with or without the bash-completion package. */
export function bashScript(commands: readonly Completable[]): string {
  const names = groups(commands).map(([group]) => group);
  return `# bash completion of lensfs: source <(lensfs completion bash)
_lensfs() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command=\${COMP_WORDS[1]} first=2 operand=0 options= valued= i
  COMPREPLY=()
  # "--sort=cpu" is three words where "=" breaks words.
  if [[ $current == '=' ]]; then
    current=
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if ((COMP_CWORD == 1)); then
    _lensfs_words '${[...firstWords(commands).map(([word]) => word), '--help', '--version'].join(' ')}'
    return
  fi
  case $command in
    ${names.join('|')}) command+=" \${COMP_WORDS[2]}" first=3 ;;
  esac
  if ((COMP_CWORD < first)); then
    case \${COMP_WORDS[1]} in
${groups(commands)
  .map(
    ([group, members]) =>
      `      ${group}) _lensfs_words '${members.map(secondWord).join(' ')}' ;;\n`,
  )
  .join('')}    esac
    return
  fi
  case $command in
${commands.map(optionsCase).join('')}    *) return ;;
  esac
  case "$command $previous" in
${commands.flatMap(optionValueCases).join('')}  esac
  if [[ $current == -* ]]; then
    _lensfs_words "$options"
    return
  fi
  for ((i = first; i < COMP_CWORD; i++)); do
    if [[ " $valued " == *" \${COMP_WORDS[i]} "* ]]; then
      ((i++))
      if [[ \${COMP_WORDS[i]} == '=' ]]; then ((i++)); fi
    elif [[ \${COMP_WORDS[i]} != -* ]]; then
      ((operand++))
    fi
  done
  case "$command $operand" in
${commands.flatMap(operandCases).join('')}    *) _lensfs_words "$options" ;;
  esac
}
_lensfs_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}
_lensfs_list() {
  local given= words= word
  [[ $current != *,* ]] || given=\${current%,*},
  for word in $1; do [[ ",$given" == *",$word,"* ]] || words+=" $word"; done
  compopt -o nospace 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -P "$given" -W "$words" -- "\${current##*,}")
}
_lensfs_keys() {
  compopt -o nospace 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -S = -W "$1" -- "$current")
}
_lensfs_containers() {
  _lensfs_words "$(${listContainers})"
}
_lensfs_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}
complete -F _lensfs lensfs
`;
}

function optionsCase(command: Completable): string {
  const all = command.options.map(({ name }) => `--${name}`).join(' ');
  return `    '${command.name}') options='${all}' valued='${valuedSpellings(command).join(' ')}' ;;\n`;
}

function optionValueCases(command: Completable): string[] {
  return command.options.flatMap((option) => {
    const { value } = option;
    if (value === undefined) return [];
    const patterns = spellings(option).map((spelling) => `'${command.name} ${spelling}'`);
    return [`    ${patterns.join('|')}) ${offer(value)}; return ;;\n`];
  });
}

function operandCases({ name, operands }: Completable): string[] {
  return operands.flatMap((operand, index) =>
    operand.kind === 'free' ? [] : [`    '${name} ${index}') ${offer(operand)} ;;\n`],
  );
}

function offer(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `_lensfs_words '${shellQuote(value.words.join(' '))}'`;
    case 'list':
      return `_lensfs_list '${value.words.join(' ')}'`;
    case 'keys':
      return `_lensfs_keys '${value.words.join(' ')}'`;
    case 'containers':
      return '_lensfs_containers';
    case 'file':
      return '_lensfs_paths -f';
    case 'directory':
      return '_lensfs_paths -d';
    case 'free':
      return ':';
  }
}
