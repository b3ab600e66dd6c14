// SPDX-License-Identifier: Apache-2.0
// A run -> text for people. Pure.
import type { Verdict } from './gates.js';
import type { Machine } from './machine.js';
import { type DriverName, type Measurement, type Metric, metrics } from './measurement.js';
import { columns, type Scenario } from './scenarios.js';
import { pairedRatio, type Row, type Spread, summarize } from './statistics.js';
import { formatMarkdownTable, formatTable, type Table } from './table.js';

export interface Run {
  machine: Machine;
  scenarios: readonly Scenario[];
  measurements: readonly Measurement[];
  verdicts: readonly Verdict[];
}

interface Peer {
  driver: DriverName;
  title: string;
}

/** Whom everybody is compared with. */
const peers: readonly Peer[] = [
  { driver: 'lxcfs', title: '× lxcfs' },
  { driver: 'host-proc', title: '× /proc' },
];

interface TitledTable extends Table {
  title: string;
}

const titles: Record<Scenario['task']['kind'], string> = {
  load: 'Reading one file as fast as possible',
  readers: 'Reading one file as fast as possible, with several threads that answer',
  polling: 'One read now and then while eight containers read as fast as possible',
  control: 'The control API beside readers, and readers beside the control API',
  hostile: 'One read now and then while another container does all it can to be in the way',
  top: 'top in a container',
  cold: 'The first read of new containers',
  fleet: 'Containers that read five files once per second each',
  growth: 'Reads of one container after another, each rendered',
  oom: 'What a container is told is available, against what it gets until the kernel ends it',
  start: 'Starting a container of runc with its view, and one without in turn with it',
};

/** Everything as text for a terminal. */
export function formatText(run: Run): string {
  const tables = [...tablesOf(run), gateTable(run.verdicts)].filter(isFilled);
  const parts = tables.map((table) => `${table.title}\n\n${formatTable(table)}`);
  return `${[...parts, ...notesOf(run)].join('\n')}`;
}

/** The same as Markdown, with the machine. */
export function formatMarkdown(run: Run): string {
  const machine = Object.entries(run.machine).map(([name, value]) => `- ${name}: ${value}\n`);
  const tables = [...tablesOf(run), gateTable(run.verdicts)].filter(isFilled);
  const parts = tables.map((table) => `## ${table.title}\n\n${formatMarkdownTable(table)}`);
  const explanation =
    'Medians of all rounds; ± is half of the distance from the lowest to the highest. ' +
    'Ratios are medians of the ratios within each round.\n';
  return ['# lensfs: benchmark\n', machine.join(''), explanation, ...parts, ...notesOf(run)].join(
    '\n',
  );
}

function tablesOf({ scenarios, measurements }: Run): TitledTable[] {
  const rows = summarize(measurements);
  const kinds = [...new Set(scenarios.map(({ task }) => task.kind))];
  return kinds.map((kind) => {
    const names = scenarios.filter(({ task }) => task.kind === kind).map(({ name }) => name);
    const shown = columns[kind].filter((metric) =>
      rows.some((row) => names.includes(row.scenario) && row.values[metric] !== undefined),
    );
    const [main = columns[kind][0], ...others] = shown;
    // An error of next to nothing is no measure of another one.
    const compared = kind === 'oom' ? [] : peers;
    const head = [
      ...['scenario', 'driver', metrics[main].title, '±'],
      ...compared.map(({ title }) => title),
      ...others.map((metric) => metrics[metric].title),
      'errors',
    ];
    const lines = names.flatMap((name) =>
      byDriver(rows.filter((row) => row.scenario === name)).map((row) =>
        lineOf(row, [main, ...others], measurements, compared),
      ),
    );
    return { title: titles[kind], lines: [head, ...lines], labels: 2 };
  });
}

function lineOf(
  row: Row,
  [main, ...others]: readonly [Metric, ...Metric[]],
  measurements: readonly Measurement[],
  compared: readonly Peer[],
): string[] {
  const { scenario, driver } = row;
  const ratios = compared.map((peer) => {
    if (peer.driver === driver) return '';
    const other = { scenario, driver: peer.driver };
    const ratio = pairedRatio(measurements, main, { scenario, driver }, other);
    return ratio === undefined ? '' : formatRatio(ratio.median);
  });
  return [
    ...[scenario, driver, formatValue(row, main), formatSpread(row.values[main])],
    ...[...ratios, ...others.map((metric) => formatValue(row, metric)), `${row.errors}`],
  ];
}

/** In the order of the drivers' names' list, whoever went first. */
function byDriver(rows: readonly Row[]): Row[] {
  const order: DriverName[] = [
    'lensfs-pinned',
    'lensfs-ring',
    'lensfs-shared',
    'lxcfs',
    'fuse-native',
    'host-proc',
    'plain-file',
    'bare-ring',
  ];
  return [...rows].sort((a, b) => order.indexOf(a.driver) - order.indexOf(b.driver));
}

function gateTable(verdicts: readonly Verdict[]): TitledTable {
  const lines = verdicts.map((verdict) => [
    verdict.gate.title,
    verdict.ratio === undefined ? 'not measured' : formatRatio(verdict.ratio.median),
    formatSpread(verdict.ratio),
    formatRatio(verdict.gate.target),
    formatRatio(verdict.needed),
    formatOutcome(verdict),
  ]);
  const head = ['gate', 'ratio', '±', 'target', 'needed', ''];
  return { title: 'Gates', lines: [head, ...lines], labels: 1 };
}

function formatOutcome({ outcome, ceiling, gate }: Verdict): string {
  if (outcome === 'failed') return 'FAILED';
  if (outcome === 'ok' || ceiling === undefined) return outcome;
  return `out of reach: ${gate.ceiling?.best} has ${formatRatio(ceiling.median)}`;
}

function notesOf({ measurements }: Run): string[] {
  return summarize(measurements).flatMap(({ scenario, driver, notes }) =>
    notes.map((note) => `${driver}, ${scenario}: ${note}\n`),
  );
}

function isFilled({ lines }: Table): boolean {
  return lines.length > 1;
}

function formatValue(row: Row, metric: Metric): string {
  return row.values[metric]?.median.toFixed(metrics[metric].digits) ?? '';
}

function formatSpread(spread: Spread | undefined): string {
  if (spread === undefined || spread.median === 0) return '';
  const half = (spread.highest - spread.lowest) / 2 / spread.median;
  return `${(half * 100).toFixed(0)} %`;
}

/** Three digits that mean something. */
function formatRatio(ratio: number): string {
  return ratio >= 100 ? ratio.toFixed(0) : ratio.toPrecision(3);
}
