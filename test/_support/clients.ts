// SPDX-License-Identifier: Apache-2.0
// Readers at full speed for as long as something is done to the daemon: every read must succeed.
import { expect } from 'vitest';
import type { RunningDaemon } from './lensfs.js';
import { PythonProcess } from './python.js';

export interface ReadReport {
  reads: number;
  /** What went wrong first, such as "ENOTCONN" or "cut"; at most five. */
  failures: string[];
  /** The longest read. */
  longestMs: number;
  p99Ms: number;
}

// Each file is read by two: one opens it each time, one keeps it open from before the fault.
const script = `
import re, threading
whole = {'meminfo': rb'MemTotal: +[1-9]', 'stat': rb'cpu  ', 'loadavg': rb'[0-9]+[.][0-9]{2} ', 'uptime': rb'[0-9]+[.]'}
stop, lock, failures, durations = threading.Event(), threading.Lock(), [], {}
def client(path, kept):
    pattern, mine, fd = re.compile(whole[os.path.basename(path)]), {}, None
    while not stop.is_set():
        begin = time.monotonic()
        try:
            if fd is None:
                fd = os.open(path, os.O_RDONLY)
            text = os.pread(fd, 1 << 16, 0)
            if not kept:
                os.close(fd)
                fd = None
            if not pattern.match(text) or text[-1:] != b'\\n':
                failures.append('cut: ' + repr(text[:40]))
        except OSError as error:
            failures.append(errno.errorcode[error.errno] + ' ' + path)
            fd = None
        tenths = int((time.monotonic() - begin) * 10000)
        mine[tenths] = mine.get(tenths, 0) + 1
    with lock:
        for tenths, count in mine.items():
            durations[tenths] = durations.get(tenths, 0) + count
threads = [threading.Thread(target=client, args=(path, kept)) for path in args for kept in (False, True)]
for thread in threads:
    thread.start()
step('reading')
stop.set()
for thread in threads:
    thread.join()
reads, seen, p99 = sum(durations.values()), 0, 0
for tenths in sorted(durations):
    p99 = tenths
    seen += durations[tenths]
    if seen * 100 >= reads * 99:
        break
reply({'reads': reads, 'failures': failures[:5], 'longestMs': max(durations) / 10, 'p99Ms': p99 / 10})
`;

/** What a test has measured, for whoever reads its output. */
export function printFigures(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Two clients for each path, in a process of their own. */
export class Clients implements AsyncDisposable {
  readonly #process: PythonProcess;

  private constructor(process: PythonProcess) {
    this.#process = process;
  }

  static async start(paths: readonly string[]): Promise<Clients> {
    const process = new PythonProcess(script, { args: paths });
    const clients = new Clients(process);
    await process.next();
    return clients;
  }

  /** Ends the clients; `what` is printed with the figures. */
  async finish(what: string): Promise<ReadReport> {
    this.#process.go();
    const report = await this.#process.next<ReadReport>();
    const { reads, longestMs, p99Ms } = report;
    printFigures(
      `${what}: ${reads} reads, longest ${longestMs.toFixed(0)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    );
    expect(report.failures).toEqual([]);
    expect(reads).toBeGreaterThan(0);
    return report;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/** Files of the public tree, and of one view through the page cache. */
export function clientFiles({ tree, runDir }: RunningDaemon, view: string): string[] {
  return [
    ...['meminfo', 'stat', 'loadavg'].map((name) => `${tree}/proc/${name}`),
    ...['meminfo', 'uptime'].map((name) => `${runDir}/mnt/pinned/${view}/proc/${name}`),
  ];
}
