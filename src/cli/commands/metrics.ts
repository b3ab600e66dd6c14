// SPDX-License-Identifier: Apache-2.0
import { ask } from '../../control/client.js';
import { clientOptions, formatJson, jsonOption, withSocket } from '../client.js';
import type { Command } from '../command.js';

export const metrics: Command = {
  name: 'metrics',
  summary: 'Prints all counters of a running daemon, as Prometheus reads them',
  operands: [],
  options: { json: jsonOption, ...clientOptions },
  examples: [
    ['lensfs metrics | grep lensfs_fallbacks_total', 'reads that did not get their own values'],
    [
      'lensfs metrics >/var/lib/node_exporter/lensfs.prom.tmp',
      "for node_exporter's textfile collector",
    ],
  ],
  run: (args, io) =>
    withSocket(args, io, async (socketPath) => {
      const text = await ask(socketPath, 'metrics');
      io.stdout.write(args.isSet('json') ? formatJson(toRows(text)) : text);
    }),
};

interface Row {
  name: string;
  labels: Record<string, string>;
  value: number;
}

function toRows(text: string): Row[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    return {
      name,
      labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
      value: Number(value),
    };
  });
}
