// SPDX-License-Identifier: Apache-2.0
import {
  type Completable,
  firstWords,
  groups,
  listContainers,
  secondWord,
  type Value,
  valuedSpellings,
} from './completable.js';

/** For fish 3; the file may lie in a directory of $fish_complete_path. */
export function fishScript(commands: readonly Completable[]): string {
  const names = groups(commands).flatMap(([group, members]) =>
    members.map((member) => row(`__lensfs_after ${group}`, secondWord(member), member.summary)),
  );
  return `# fish completion of lensfs: lensfs completion fish | source
# Whether the words before the cursor are exactly these.
function __lensfs_after
  set -l given (commandline -opc)
  test "$given[2..]" = "$argv"
end
# Whether the command is the first argument, and the word at the cursor is the operand of that number, from 0, if one is
# given; what follows the number are the options that take a value.
function __lensfs_at
  set -l given (commandline -opc)
  set -l name (string split ' ' -- $argv[1])
  test "$given[2..]" = "$argv[1]"; or string match -q -- "$argv[1] *" "$given[2..]"; or return 1
  test (count $argv) -gt 1; or return 0
  set -l operands 0
  set -l is_value 0
  for word in $given[(math (count $name) + 2)..]
    if test $is_value = 1
      set is_value 0
    else if contains -- $word $argv[3..]
      set is_value 1
    else if not string match -q -- '-*' $word
      set operands (math $operands + 1)
    end
  end
  test $operands = $argv[2]
end
# The words of a list that are not in it, behind those that are.
function __lensfs_list
  set -l given (string split , -- (commandline -ct | string replace -r '^-.*=' ''))
  set -e given[-1]
  set -l before ''
  test (count $given) = 0; or set before (string join , -- $given),
  for word in $argv
    contains -- $word $given; or echo $before$word
  end
end
function __lensfs_containers
  ${listContainers}
end
complete -c lensfs -f
complete -c lensfs -n __lensfs_after -l help -d 'print help'
complete -c lensfs -n __lensfs_after -l version -d 'print the version'
${[...firstWords(commands).map(([word, summary]) => row('__lensfs_after', word, summary)), ...names].join('')}${commands.flatMap(optionLines).join('')}${commands.flatMap(operandLines).join('')}`;
}

function row(condition: string, word: string, summary: string): string {
  return `complete -c lensfs -n '${condition}' -a ${word} -d '${quote(summary)}'\n`;
}

function optionLines({ name, options }: Completable): string[] {
  return options.map(({ name: option, short, help, value }) => {
    const letter = short === undefined ? '' : ` -s ${short}`;
    const argument = value === undefined ? '' : ` -r${offer(value)}`;
    return `complete -c lensfs -n '__lensfs_at "${name}"' -l ${option}${letter}${argument} -d '${quote(help)}'\n`;
  });
}

function operandLines(command: Completable): string[] {
  const valued = valuedSpellings(command).join(' ');
  return command.operands.flatMap((operand, index) =>
    operand.kind === 'free'
      ? []
      : [
          `complete -c lensfs -n '__lensfs_at "${command.name}" ${index} ${valued}'${offer(operand)} -d '${quote(operand.placeholder)}'\n`,
        ],
  );
}

function offer(value: Value): string {
  switch (value.kind) {
    case 'words':
      return ` -f -a '${quote(value.words.join(' '))}'`;
    case 'list':
      return ` -f -a '(__lensfs_list ${value.words.join(' ')})'`;
    case 'keys':
      return ` -f -a '${value.words.map((word) => `${word}=`).join(' ')}'`;
    case 'containers':
      return " -f -a '(__lensfs_containers)'";
    case 'file':
      return ' -F';
    case 'directory':
      return " -f -a '(__fish_complete_directories)'";
    case 'free':
      return ' -f';
  }
}

/** Within single quotes. */
function quote(text: string): string {
  return text.replace(/[\\']/g, '\\$&');
}
