// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { emitKeypressEvents } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { ask } from '../../control/client.js';
import { clientOptions, formatJson, jsonOption, withSocket } from '../client.js';
import { type Arguments, type Command, type Io, UsageError } from '../command.js';
import { tableOptionsOf } from '../terminal.js';
import { deriveRates, formatTop, type SortKey, sortKeys, type ViewRates } from '../views-output.js';

const defaultIntervalSec = 2;
const maxIntervalSec = 3_600;
/** Header, blank line and the last line, which stays empty. */
const otherLines = 4;

const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';
const clearScreen = '\u001b[H\u001b[J';

/** A key to what it sorts by. */
const keysOfSort: Record<string, SortKey> = {
  c: 'cpu',
  m: 'memory',
  t: 'throttled',
  r: 'reads',
  p: 'pressure',
  n: 'name',
};

export const top: Command = {
  name: 'top',
  summary: 'Shows what containers use, live; q quits, c m t r p n sort',
  operands: [],
  options: {
    interval: {
      type: 'string',
      placeholder: 'SEC',
      help: `seconds between two looks (default: ${defaultIntervalSec})`,
    },
    sort: {
      type: 'string',
      placeholder: 'KEY',
      values: sortKeys,
      help: `${sortKeys.join(', ')} (default: cpu)`,
    },
    count: {
      type: 'string',
      placeholder: 'N',
      help: 'end after N looks (default: 1 when standard output is no terminal)',
    },
    json: { ...jsonOption, help: 'print JSON, an object for each look' },
    ...clientOptions,
  },
  examples: [
    ['lensfs top', 'live; q quits'],
    ['lensfs top --count 1 --sort memory', 'once, the largest first'],
  ],
  run: async (args, io) => {
    const settings = readSettings(args, io);
    return await withSocket(args, io, (socketPath) => run(socketPath, settings, io));
  },
};

interface Settings {
  intervalMs: number;
  sort: SortKey;
  count: number;
  isJson: boolean;
  isLive: boolean;
}

function readSettings(args: Arguments, io: Io): Settings {
  const isJson = args.isSet('json');
  const isLive = !isJson && (io.stdout as Partial<NodeJS.WriteStream>).isTTY === true;
  const sort = args.text('sort') ?? 'cpu';
  if (!sortKeys.includes(sort as SortKey)) {
    throw new UsageError(`top: --sort: expected ${sortKeys.join(', ')}, got "${sort}"`);
  }
  const seconds = readNumber(args, 'interval', defaultIntervalSec, 0.1, maxIntervalSec);
  const count = readNumber(args, 'count', isLive ? Number.POSITIVE_INFINITY : 1, 1, 1e9);
  return { intervalMs: seconds * 1_000, sort: sort as SortKey, count, isJson, isLive };
}

function readNumber(args: Arguments, name: string, other: number, min: number, max: number) {
  const text = args.text(name);
  if (text === undefined) return other;
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new UsageError(`top: --${name}: expected a number from ${min} to ${max}, got "${text}"`);
}

async function run(socketPath: string, settings: Settings, io: Io): Promise<void> {
  const stop = new AbortController();
  using keys = settings.isLive ? readKeys(stop) : undefined;
  if (settings.isLive) io.stdout.write(enterScreen);
  let last = '';
  try {
    let { views } = await ask(socketPath, 'views');
    let lookedAtMs = performance.now();
    // Rates need a second look; what is used does not, and nobody likes an empty screen.
    if (settings.isLive) show(deriveRates(views, views, 0), settings, io);
    for (let look = 0; look < settings.count; look += 1) {
      await pause(settings.intervalMs, stop.signal, keys?.pressed);
      if (stop.signal.aborted) return;
      const next = await ask(socketPath, 'views');
      const nowMs = performance.now();
      const rates = deriveRates(views, next.views, (nowMs - lookedAtMs) / 1_000);
      // A key pressed after a moment only sorts anew: rates of so short a time say nothing.
      if (nowMs - lookedAtMs >= settings.intervalMs / 2) [views, lookedAtMs] = [next.views, nowMs];
      last = show(rates, { ...settings, sort: keys?.sort() ?? settings.sort }, io);
    }
  } finally {
    if (settings.isLive) io.stdout.write(leaveScreen);
  }
  // The screen that is left takes its looks along; whoever asked for a number of them wants to see the last.
  if (settings.isLive) io.stdout.write(last);
}

/** Writes a look; gives its text. */
function show(rates: ViewRates[], { isJson, isLive, sort }: Settings, io: Io): string {
  if (isJson) {
    const views = rates.map(({ view, ...rest }) => ({ ...view, ...rest }));
    return write(formatJson({ views }), io);
  }
  // A terminal that does not know its size says 0.
  const height = (io.stdout as Partial<NodeJS.WriteStream>).rows || 24;
  const rows = isLive ? Math.max(1, height - otherLines) : Number.POSITIVE_INFINITY;
  const table = formatTop(rates, { ...tableOptionsOf(io), sort, rows });
  if (!isLive) return write(table, io);
  const title = `lensfs top: ${rates.length} containers by ${sort}; q quits, c m t r p n sort\n\n`;
  io.stdout.write(clearScreen + title + table);
  return table;
}

function write(text: string, io: Io): string {
  io.stdout.write(text);
  return text;
}

async function pause(ms: number, stop: AbortSignal, pressed?: () => Promise<unknown>) {
  const early = new AbortController();
  const signal = AbortSignal.any([stop, early.signal]);
  await Promise.race([
    setTimeout(ms, undefined, { signal }).catch(ignore),
    ...(pressed === undefined ? [] : [pressed()]),
  ]);
  early.abort();
}

interface Keys extends Disposable {
  sort: () => SortKey | undefined;
  /** Settled at the next key. */
  pressed: () => Promise<unknown>;
}

/** Reads keys until disposed; q, Escape, Ctrl-C and the end of input stop. */
function readKeys(stop: AbortController): Keys {
  const { stdin } = process;
  let sort: SortKey | undefined;
  const onKey = (text: string | undefined, key: { name?: string; ctrl?: boolean }) => {
    if (key.name === 'q' || key.name === 'escape' || (key.ctrl === true && key.name === 'c')) {
      stop.abort();
    }
    sort = keysOfSort[text ?? ''] ?? sort;
  };
  const onEnd = () => stop.abort();
  emitKeypressEvents(stdin);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('keypress', onKey);
  stdin.on('end', onEnd);
  process.once('SIGTERM', onEnd);
  stdin.resume();
  return {
    sort: () => sort,
    pressed: () => once(stdin, 'keypress', { signal: stop.signal }).catch(ignore),
    [Symbol.dispose]: () => {
      stdin.off('keypress', onKey);
      stdin.off('end', onEnd);
      process.off('SIGTERM', onEnd);
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.pause();
    },
  };
}

function ignore(): void {}
