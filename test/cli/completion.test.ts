// SPDX-License-Identifier: Apache-2.0
// Completion as the shells do it: each is given a line, and says what it would offer for the last word.
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { commands } from '../../src/cli/program.js';
import { lensfs, program } from '../_support/lensfs.js';
import { python } from '../_support/python.js';
import { built, command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const execute = promisify(execFile);

/** Resolves to what is offered for each line, whose last word is the one at the cursor. */
type Offers = (lines: readonly string[][], dir: TempDir) => Promise<string[][]>;

async function scriptOf(shell: string): Promise<string> {
  return (await lensfs(['completion', shell])).stdout;
}

async function fromBash(lines: readonly string[][], dir: TempDir): Promise<string[][]> {
  await writeFile(dir.at('script'), await scriptOf('bash'));
  return await Promise.all(
    lines.map(async (words) => {
      const ask = `. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lensfs
printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = await execute(
        'bash',
        ['--norc', '-c', ask, dir.at('script'), 'lensfs', ...words],
        { cwd: dir.path },
      );
      expect(stderr).toBe('');
      return stdout.split('\n').filter((line) => line !== '');
    }),
  );
}

async function fromFish(lines: readonly string[][], dir: TempDir): Promise<string[][]> {
  await writeFile(dir.at('script'), await scriptOf('fish'));
  return await Promise.all(
    lines.map(async (words) => {
      const ask = 'source $argv[1]; complete -C "$argv[2]"';
      const { stdout, stderr } = await execute(
        'fish',
        ['--no-config', '-c', ask, dir.at('script'), ['lensfs', ...words].join(' ')],
        { cwd: dir.path, env: { ...process.env, HOME: dir.path } },
      );
      expect(stderr).toBe('');
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t')[0] ?? '');
    }),
  );
}

/** On a terminal, with the script autoloaded from fpath: the first Tab is what is looked at. */
async function fromZsh(lines: readonly string[][], dir: TempDir): Promise<string[][]> {
  await mkdir(dir.at('functions'), { recursive: true });
  await writeFile(dir.at('functions/_lensfs'), await scriptOf('zsh'));
  await writeFile(
    dir.at('.zshrc'),
    `fpath=(${dir.at('functions')} $fpath)
autoload -Uz compinit && compinit -u -d ${dir.at('dump')}
# What would be offered goes to a file, and nothing to the line.
compadd() {
  if [[ \${@[(I)-[OADa]*]} -gt 0 && \${@[(I)-a]} -eq 0 ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -O found "$@"
  print -rl -- $found >>${dir.at('offered')}
  builtin compadd "$@"
}
PS1='ready> '
finish() { print -r -- '-- end' >>${dir.at('offered')}; BUFFER=; zle -R }
zle -N finish
complete-and-tell() { zle complete-word; zle finish }
zle -N complete-and-tell
bindkey '^I' complete-and-tell
setopt no_list_beep no_always_last_prompt
LISTMAX=1000
`,
  );
  const text = await tabsOfZsh(
    lines.map((words) => ['lensfs', ...words].join(' ')),
    dir,
  );
  const offers = text.split('-- end\n').slice(0, -1);
  return offers.map((offer) => [...new Set(offer.split('\n').filter((word) => word !== ''))]);
}

/** One shell for all lines, so that the first of them is the one that loads the function. */
async function tabsOfZsh(lines: readonly string[], dir: TempDir): Promise<string> {
  return await python<string>(
    `
    import pty
    lines, home = json.loads(args[0]), args[1]
    offered = home + '/offered'
    open(offered, 'w').close()
    child, controller = pty.fork()
    if child == 0:
        os.chdir(home)
        os.environ.update({'ZDOTDIR': home, 'HOME': home, 'TERM': 'dumb'})
        os.execvp('zsh', ['zsh', '-o', 'no_global_rcs', '-i'])
    screen, sent = '', 0
    ended = lambda: open(offered).read().count('-- end\\n')
    until = time.monotonic() + 100
    while time.monotonic() < until and ended() < len(lines):
        if select.select([controller], [], [], 0.02)[0]:
            screen += os.read(controller, 65536).decode('utf8', 'replace')
        if sent < len(lines) and sent == ended() and 'ready> ' in screen:
            os.write(controller, (lines[sent] + '\\t').encode())
            sent += 1
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    reply(open(offered).read() if ended() == len(lines) else 'no end: ' + screen)
    `,
    { args: [JSON.stringify(lines), dir.path] },
  );
}

async function filesOfShow(): Promise<string[]> {
  const { stderr } = await lensfs(['show', 'none']);
  return (/one of (.*)/.exec(stderr)?.[1] ?? '').split(', ');
}

const shells: [string, Offers][] = [
  ['bash', fromBash],
  ['fish', fromFish],
  ['zsh', fromZsh],
];

/** Lines and exactly what is offered for their last word. */
const exact: [line: string[], offered: string[]][] = [
  [
    ['hook', ''],
    ['install', 'remove'],
  ],
  [['hook', '--file', 'x', 'install', 'do'], ['docker']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['manual', 'lensfs.'], ['lensfs.yaml']],
  [['config', 'in'], ['init']],
  [
    ['kubernetes', ''],
    ['manifests', 'node', 'scan', 'webhook'],
  ],
  [
    ['top', '--sort', ''],
    ['cpu', 'memory', 'throttled', 'reads', 'pressure', 'name'],
  ],
  [
    ['kubernetes', 'manifests', '--mode', ''],
    ['agent', 'webhook', 'policy', 'runtimeclass'],
  ],
  [['kubernetes', 'manifests', '--mode', 'agent', '--mode', 'w'], ['webhook']],
  [['kubernetes', 'webhook', '--tls', 'f'], ['files']],
  [
    ['kubernetes', 'webhook', '--log-level', ''],
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  ],
  [['attach', '--files', 'me'], ['memory']],
  [['top', '--sort', 'memory', '--int'], ['--interval']],
  [['kubernetes', 'scan', '--cert'], []],
  [['kubernetes', 'node', '--namespace-l'], []],
  [['config', 'init', 'pod'], ['pods.yaml']],
  [['serve', '--config', 'pod'], ['pods.yaml']],
  [['kubernetes', 'scan', '-f', 'pod'], ['pods.yaml']],
];

for (const [shell, offersOf] of shells) {
  const test = testWith(built(program), command(shell));
  describe(`completion for ${shell}`, () => {
    test('offers the values of options and operands, each for its own command', async () => {
      await using dir = await TempDir.create();
      await writeFile(dir.at('pods.yaml'), '');
      const offers = await offersOf(
        exact.map(([words]) => words),
        dir,
      );
      const seen = exact.map(([words], index) => [words, [...(offers[index] ?? [])].sort()]);
      expect(seen).toEqual(exact.map(([words, offered]) => [words, [...offered].sort()]));
    }, 120_000);

    test('offers the files that can be shown', async () => {
      await using dir = await TempDir.create();
      const files = (await filesOfShow()).sort();
      expect(files).toContain('proc/meminfo');
      const offers = await offersOf(
        [
          ['show', '--pid', '1', ''],
          ['explain', ''],
        ],
        dir,
      );
      expect(offers.map((offered) => [...offered].sort())).toEqual([files, files]);
    }, 60_000);

    test('offers every command and every option', async () => {
      await using dir = await TempDir.create();
      const lines = commands.map(({ name }) => [...name.split(' '), '--']);
      const [first = [], ...offers] = await offersOf([[''], ...lines], dir);
      expect(first).toEqual(expect.arrayContaining(commands.map(({ name }) => name.split(' ')[0])));
      const options = commands.map(({ options }) => [...Object.keys(options), 'help'].sort());
      expect(
        offers.map((offered) => [...new Set(offered.map((option) => option.slice(2)))].sort()),
      ).toEqual(options);
    }, 120_000);
  });
}
