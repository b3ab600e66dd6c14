// SPDX-License-Identifier: Apache-2.0
// Commands on a terminal, which a pseudo terminal is: `lensfs top` and its keys, and colours.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { fromBash, fromFish, fromZsh } from '../_support/completion.js';
import { program, type RunningDaemon, run } from '../_support/lensfs.js';
import { mountRequirements, mountTest as test, useDaemon } from '../_support/mounted.js';
import { patience } from '../_support/patience.js';
import { python } from '../_support/python.js';
import { command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const daemon = useDaemon();
const timeoutMs = 120_000 * patience;

interface Session {
  code: number;
  /** All that was written to the terminal. */
  screen: string;
  /** Whether it echoes what is typed, before and after. */
  echoes: [boolean, boolean];
}

/**
 * Runs a command on a terminal of 120 columns. Each step is a text to wait for and the keys to press then; a second step
 * is looked for in what comes after.
 */
async function onTerminal(
  { runDir }: RunningDaemon,
  args: readonly string[],
  steps: readonly (readonly [text: string, keys: string])[] = [],
  env: Record<string, string> = {},
): Promise<Session> {
  return await python<Session>(
    `
    import pty, struct, termios
    command, environment, steps = (json.loads(arg) for arg in args)
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 120, 0, 0))
    echoes = lambda: bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
    before = echoes()
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(terminal, fd)
        for name in ('NO_COLOR', 'CI'):  # either says: no colours
            os.environ.pop(name, None)
        os.environ.update(environment)
        os.execvp(command[0], command)
    screen, seen = '', 0
    ended, status = 0, 0
    while ended == 0:
        ended, status = os.waitpid(child, os.WNOHANG)
        while select.select([controller], [], [], 0.02)[0]:
            screen += os.read(controller, 65536).decode('utf8', 'replace')
        if steps and steps[0][0] in screen[seen:]:
            seen = len(screen)
            os.write(controller, steps.pop(0)[1].encode())
    reply({'code': os.waitstatus_to_exitcode(status), 'screen': screen, 'echoes': [before, echoes()]})
    `,
    {
      args: [
        JSON.stringify([program, ...args, '--run-dir', runDir]),
        JSON.stringify({ TERM: 'xterm-256color', ...env }),
        JSON.stringify(steps),
      ],
    },
  );
}

test(
  'lensfs top shows containers until q, sorted by the key that was pressed, and leaves the terminal as it was',
  async () => {
    await readFile(`${daemon().tree}/proc/meminfo`);
    const { code, screen, echoes } = await onTerminal(
      daemon(),
      ['top', '--interval', '0.2'],
      [
        ['containers by cpu', 'm'],
        ['containers by memory', 'q'],
      ],
    );
    expect([code, echoes]).toEqual([0, [true, true]]);
    expect(screen).toMatch(/CONTAINER +CPU +OF/);
    const [enter, leave] = ['\u001b[?1049h', '\u001b[?1049l'];
    expect(screen.split(enter)).toHaveLength(2);
    expect(screen.slice(screen.indexOf(leave))).not.toContain('CONTAINER');
  },
  timeoutMs,
);

test(
  'lensfs top sorts by each of its keys, and shows something before the first interval has passed',
  async () => {
    await readFile(`${daemon().tree}/proc/meminfo`);
    const { code, screen } = await onTerminal(
      daemon(),
      ['top', '--interval', '3600'],
      [
        ['containers by cpu', 't'],
        ['containers by throttled', 'r'],
        ['containers by reads', 'p'],
        ['containers by pressure', 'n'],
        ['containers by name', 'c'],
        ['containers by cpu', 'm'],
        ['containers by memory', 'q'],
      ],
    );
    expect(code).toBe(0);
    const first = screen.slice(0, screen.indexOf('containers by throttled'));
    expect(first).toMatch(/CONTAINER +CPU +OF/);
    expect(screen).toMatch(/by memory;/);
  },
  timeoutMs,
);

const colours = '\u001b[';

test(
  'lensfs views has colours on a terminal, unless NO_COLOR says otherwise',
  async () => {
    await readFile(`${daemon().tree}/proc/meminfo`);
    const coloured = await onTerminal(daemon(), ['views']);
    expect(coloured.screen).toContain(colours);
    const plain = await onTerminal(daemon(), ['views'], [], { NO_COLOR: '1' });
    expect(plain.screen).toMatch(/^CONTAINER +INIT/);
    expect(plain.screen).not.toContain(colours);
    expect((await daemon().command('views')).stdout).not.toContain(colours);
  },
  timeoutMs,
);

test(
  'lensfs top leaves the last look where one sees it when it was told how many',
  async () => {
    await readFile(`${daemon().tree}/proc/meminfo`);
    const { code, screen } = await onTerminal(daemon(), [
      'top',
      '--count',
      '1',
      '--interval',
      '0.2',
    ]);
    expect(code).toBe(0);
    expect(screen.slice(screen.indexOf('\u001b[?1049l'))).toMatch(
      /CONTAINER +CPU +OF.*READS\/S.*\n.*\d/s,
    );
  },
  timeoutMs,
);

const shells = { bash: fromBash, fish: fromFish, zsh: fromZsh } as const;

for (const [shell, offersOf] of Object.entries(shells)) {
  testWith(...mountRequirements, command(shell))(
    `${shell} completes the containers that read from the daemon`,
    async () => {
      await using cgroup = await TestCgroup.create();
      const { tree, runDir } = daemon();
      const { code } = await run(...cgroup.contain('cat', `${tree}/proc/meminfo`));
      expect(code).toBe(0);
      const name = basename(cgroup.path);
      await using dir = await TempDir.create();
      const [offered, none] = await offersOf(
        [
          ['detach', 'lensfs-test'],
          ['detach', 'x'],
        ],
        dir,
        runDir,
      );
      // Those of the tests before this one may still be there.
      expect(offered).toContain(name);
      expect(none).toEqual([]);
    },
    timeoutMs,
  );
}
