// SPDX-License-Identifier: Apache-2.0
// Many containers of the hook, and every way in which lensfs ends and begins: each new open is the container's or the
// host's, and the longest time in which one fails is printed.
import { expect } from 'vitest';
import { abortConnection } from '../_support/abort-connection.js';
import { BuildCopy } from '../_support/build-copy.js';
import { Bundles } from '../_support/bundles.js';
import { printFigures } from '../_support/clients.js';
import { hookProgram } from '../_support/hook.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { mountTest as test } from '../_support/mounted.js';
import { PythonProcess } from '../_support/python.js';
import { TempDir } from '../_support/temp-dir.js';
import { mebibyte } from '../_support/units.js';
import { waitUntil } from '../_support/wait.js';

const count = Number(process.env['LENSFS_MANY_CONTAINERS'] ?? 60);
const startedAtOnce = 4;
const timeoutMs = 600_000;
const settledMs = 60_000;

interface Seen {
  /** How many reads showed what: "own", "host", an errno's name, or the text that should not be there. */
  kinds: Record<string, number>;
  /** The longest time between two good reads of one container, if one in between failed. */
  longestErrorMs: number;
  /** What the containers show now. */
  now: Record<string, number>;
}

// Opens each container's files again and again, and tells at each step what was seen since the last.
const reader = `
import re, threading
host = open('/proc/meminfo').readline()
lock, kinds, bad_since, longest = threading.Lock(), {}, {}, 0
def look(pid):
    try:
        open(f'/proc/{pid}/root/sys/devices/system/cpu/online').read()
        text = open(f'/proc/{pid}/root/proc/meminfo').readline()
        return 'own' if re.match('MemTotal: +65536 kB', text) else 'host' if text == host else repr(text)
    except OSError as error:
        return errno.errorcode[error.errno]
def client(pids):
    global longest
    while True:
        for pid in pids:
            seen, now = look(pid), time.monotonic()
            with lock:
                kinds[seen] = kinds.get(seen, 0) + 1
                if seen in ('own', 'host'):
                    longest = max(longest, now - bad_since.pop(pid, now))
                else:
                    bad_since.setdefault(pid, now)
for index in range(4):
    threading.Thread(target=client, args=(args[index::4],), daemon=True).start()
while True:
    now = {}
    for pid in args:
        seen = look(pid)
        now[seen] = now.get(seen, 0) + 1
    with lock:
        told, kinds, longest_ms, longest = kinds, {}, longest * 1000, 0
    step({'kinds': told, 'longestErrorMs': longest_ms, 'now': now})
`;

async function startMany(bundles: Bundles, daemon: RunningDaemon): Promise<string[]> {
  const dirs = ['--tree', daemon.tree, '--run-dir', daemon.runDir];
  const hook = { path: hookProgram, args: ['lensfs-hook', 'create-runtime', ...dirs] };
  const pids: string[] = [];
  let left = count;
  const starter = async () => {
    while (left-- > 0) {
      const { pid } = await bundles.start({
        command: ['/bin/sleep', '1000000'],
        memoryBytes: 64 * mebibyte,
        hooks: { createRuntime: [hook] },
      });
      pids.push(String(pid));
    }
  };
  await Promise.all(Array.from({ length: startedAtOnce }, starter));
  return pids;
}

test(
  `${count} containers have their own values or the host’s, however lensfs ends`,
  async () => {
    await using dir = await TempDir.create();
    const build = await BuildCopy.create(dir);
    await using bundles = await Bundles.create();
    let daemon = await RunningDaemon.start([], { dir, program: build.program });
    try {
      const pids = await startMany(bundles, daemon);
      await using script = new PythonProcess(reader, { args: pids });
      await script.next<Seen>();
      /** What was seen from the beginning of `change` until all containers show `wanted`. */
      const during = async (name: string, wanted: string, change: () => Promise<unknown>) => {
        await change();
        const begin = performance.now();
        const kinds: Record<string, number> = {};
        let longest = 0;
        const settled = async () => {
          script.go();
          const seen = await script.next<Seen>();
          longest = Math.max(longest, seen.longestErrorMs);
          for (const [kind, times] of Object.entries(seen.kinds)) {
            kinds[kind] = (kinds[kind] ?? 0) + times;
          }
          return seen.now[wanted] === count;
        };
        await waitUntil(`${name}: all containers show ${wanted}`, settled, settledMs);
        await settled(); // what the threads have seen until now
        const after = (performance.now() - begin).toFixed(0);
        const text = `${name}: all "${wanted}" after ${after} ms, longest error ${longest.toFixed(0)} ms`;
        printFigures(`${text}, reads ${JSON.stringify(kinds)}`);
        const isError = (kind: string) => /^E[A-Z]+$/.test(kind);
        const isGood = (kind: string) => kind === 'own' || kind === 'host';
        const wrong = Object.keys(kinds).filter((kind) => !isError(kind) && !isGood(kind));
        expect(wrong, name).toEqual([]);
        return Object.keys(kinds).filter(isError);
      };
      const start = async () => {
        daemon = await RunningDaemon.start([], { dir, program: build.program });
      };
      expect(await during('at rest', 'own', async () => {})).toEqual([]);
      // A read that is being answered when the connection goes is told so (ECONNABORTED), no open fails for good.
      const stopped = await during('stop', 'host', async () => {
        expect((await daemon.command('stop')).code).toBe(0);
        await daemon.exited;
      });
      expect(stopped.filter((kind) => kind !== 'ECONNABORTED')).toEqual([]);
      expect(await during('start', 'own', start)).toEqual([]);
      await during('both killed, started again', 'own', async () => {
        await daemon.killAll();
        await start();
      });
      await during('pinned connection aborted', 'own', async () => {
        await abortConnection(daemon, 'pinned');
        await daemon.logged('Serving again');
      });
      const replaced = await during('another build takes over', 'own', async () => {
        await build.setVersion('9.9.1');
        daemon.child.kill('SIGUSR2');
        await daemon.logged('Serving again', 2);
      });
      expect(replaced).toEqual([]);
    } finally {
      await daemon[Symbol.asyncDispose]();
    }
  },
  timeoutMs,
);
