// SPDX-License-Identifier: Apache-2.0
// Shells that complete: each is given lines, and says what it would offer for their last words.
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { cleanEnvironment, lensfs, program } from './lensfs.js';
import { python } from './python.js';
import type { TempDir } from './temp-dir.js';

const execute = promisify(execFile);

/**
 * Resolves to what is offered for each line, whose last word is the one at the cursor. Whoever completes has `lensfs` in
 * the PATH, and its daemon at `runDir`; without that there is none.
 */
export type Offers = (
  lines: readonly string[][],
  dir: TempDir,
  runDir?: string,
) => Promise<string[][]>;

async function environmentOf(dir: TempDir, runDir = dir.at('nowhere')): Promise<NodeJS.ProcessEnv> {
  await mkdir(dir.at('bin'), { recursive: true });
  await symlink(program, dir.at('bin/lensfs')).catch(() => {}); // it is there already
  const path = `${dir.at('bin')}:${process.env['PATH']}`;
  return cleanEnvironment({ PATH: path, HOME: dir.path, LENSFS_RUN_DIR: runDir });
}

async function scriptOf(shell: string): Promise<string> {
  return (await lensfs(['completion', shell])).stdout;
}

export const fromBash: Offers = async (lines, dir, runDir) => {
  const env = await environmentOf(dir, runDir);
  await writeFile(dir.at('script'), await scriptOf('bash'));
  return await Promise.all(
    lines.map(async (words) => {
      const ask = `. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lensfs
printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = await execute(
        'bash',
        ['--norc', '-c', ask, dir.at('script'), 'lensfs', ...words],
        { cwd: dir.path, env },
      );
      expect(stderr).toBe('');
      return stdout.split('\n').filter((line) => line !== '');
    }),
  );
};

export const fromFish: Offers = async (lines, dir, runDir) => {
  const env = await environmentOf(dir, runDir);
  await writeFile(dir.at('script'), await scriptOf('fish'));
  return await Promise.all(
    lines.map(async (words) => {
      const ask = 'source $argv[1]; complete -C "$argv[2]"';
      const { stdout, stderr } = await execute(
        'fish',
        ['--no-config', '-c', ask, dir.at('script'), ['lensfs', ...words].join(' ')],
        { cwd: dir.path, env },
      );
      expect(stderr).toBe('');
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t')[0] ?? '');
    }),
  );
};

/** On a terminal, with the script autoloaded from fpath: the first Tab is what is looked at. */
export const fromZsh: Offers = async (lines, dir, runDir) => {
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
    await environmentOf(dir, runDir),
  );
  const offers = text.split('-- end\n').slice(0, -1);
  return offers.map((offer) => [...new Set(offer.split('\n').filter((word) => word !== ''))]);
};

/** One shell for all lines, so that the first of them is the one that loads the function. */
async function tabsOfZsh(
  lines: readonly string[],
  dir: TempDir,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  return await python<string>(
    `
    import pty
    lines, home, environment = json.loads(args[0]), args[1], json.loads(args[2])
    offered = home + '/offered'
    open(offered, 'w').close()
    child, controller = pty.fork()
    if child == 0:
        os.chdir(home)
        os.environ.update({**environment, 'ZDOTDIR': home, 'TERM': 'dumb'})
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
    { args: [JSON.stringify(lines), dir.path, JSON.stringify(env)] },
  );
}
