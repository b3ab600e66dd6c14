// SPDX-License-Identifier: Apache-2.0
// Values -> text for people. Pure.
import { describeProblem, type Problem } from '../config/parse.js';
import type { ReloadReply, StatusReply } from '../control/protocol.js';
import { withoutIds } from '../control/replies.js';
import { printable } from '../printable.js';
import { type Command, exitCodeMeanings, type Option } from './command.js';

const exitCodeHelp = `Exit codes:
${exitCodeMeanings.map(([code, meaning]) => `  ${code}  ${meaning}\n`).join('')}`;

export const helpOption: Option = { type: 'boolean', help: 'print this help' };

/** `lensfs --help`. */
export function formatHelp(commands: readonly Command[], group = ''): string {
  const rows = commands.map(({ name, operands, summary }) => [
    [name, ...operands].join(' '),
    summary,
  ]);
  return `Gives containers truthful /proc files.

Usage: lensfs ${group}COMMAND [OPTION ...]

Commands:
${table(rows)}
Options:
${table([
  ['--help', 'print this help; after a command, its own'],
  ['--version', 'print the version'],
])}
Examples:
${formatExamples(commands.flatMap(({ examples }) => examples.slice(0, 1)))}
${exitCodeHelp}`;
}

/** `lensfs COMMAND --help`. */
export function formatCommandHelp(command: Command): string {
  const { name, summary, operands, examples } = command;
  const options = Object.entries({ ...command.options, help: helpOption });
  const rows = options.map(([option, { short, placeholder, help }]) => {
    const names = short === undefined ? `--${option}` : `-${short}, --${option}`;
    return [placeholder === undefined ? names : `${names} ${placeholder}`, help];
  });
  return `${summary}

Usage: lensfs ${[name, ...operands].join(' ')} [OPTION ...]

Options:
${table(rows)}
Examples:
${formatExamples(examples)}
${exitCodeHelp}`;
}

/** All that is wrong with a configuration, a line each. */
export function formatProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${printable(describeProblem(problem))}\n`);
  return `lensfs: ${count} in the configuration\n${lines.join('')}`;
}

/** `lensfs status`. */
export function formatStatus(status: StatusReply): string {
  const controllers = Object.entries(status.controllers).map(([name, path]) => `${name}=${path}`);
  const rows = [
    ['Version', status.version],
    ['Process', status.orphaned ? 'the keeper is dead: start lensfs again' : String(status.pid)],
    [
      'Worker',
      `${status.workerPid}, number ${status.workers}, up ${formatDuration(status.uptimeSec)}`,
    ],
    ['Tree', `${status.tree}, ${status.layers} layers`],
    ['Run directory', status.runDir],
    ...status.configProblems.map((problem, index) => [
      index === 0 ? 'Configuration' : '',
      `${index === 0 ? 'degraded, the last good one is in force: ' : ''}${problem}`,
    ]),
    ['Cgroups', [status.layout, ...controllers].join(' ') + formatFinding(status)],
    ['Transport', formatTransport(status.transport)],
    ['Views', String(status.views)],
    ['Open files', String(status.handles)],
    ['Held descriptors', String(status.heldDescriptors)],
    ['Replays', `${status.replays}, ${status.refusals} refused`],
    ...status.quarantine.map(({ cgroup, deaths, leftSec }, index) => [
      index === 0 ? 'Quarantine' : '',
      `${cgroup} for ${leftSec} s more: ${deaths} ${deaths === 1 ? 'worker' : 'workers'} crashed or hung on it`,
    ]),
    ['Reads', String(status.reads)],
    ['Renders', String(status.renders)],
    ['Fallbacks', String(status.fallbacks.reduce((sum, { count }) => sum + count, 0))],
    ...status.fallbacks.map(({ file, cause, count }) => ['', `${count} × ${file}: ${cause}`]),
  ];
  return table(rows, '');
}

/** What keeps the daemon from finding cgroups by their ids. */
function formatFinding({ findsById }: StatusReply): string {
  return findsById ? '' : `, ${withoutIds}`;
}

/** How reads of the public tree come from the kernel. */
export function formatTransport({
  kind,
  reason,
  cpus,
  bytesPerCpu,
  forced,
}: StatusReply['transport']): string {
  if (kind === 'classic') return reason === '' ? kind : `${kind}: ${reason}`;
  const lost = forced === 0 ? '' : `, ${forced} ${forced === 1 ? 'task' : 'tasks'} ended by force`;
  return `${kind} on ${cpus} CPUs, ${bytesPerCpu / 1024} KiB each${lost}`;
}

/** `lensfs reload`. */
export function formatReload({ applied, needsRestart }: ReloadReply): string {
  if (applied.length === 0 && needsRestart.length === 0) return 'Nothing has changed\n';
  const lines = [];
  if (applied.length > 0) lines.push(`In force: ${applied.join(', ')}\n`);
  if (needsRestart.length > 0) lines.push(`After a restart: ${needsRestart.join(', ')}\n`);
  return lines.join('');
}

/** Such as "3d 4h", "5m 6s": the two largest units. */
export function formatDuration(sec: number): string {
  const units = [
    ['d', Math.floor(sec / 86_400)],
    ['h', Math.floor(sec / 3_600) % 24],
    ['m', Math.floor(sec / 60) % 60],
    ['s', Math.floor(sec) % 60],
  ] as const;
  const first = units.findIndex(([, count]) => count > 0);
  const shown = first === -1 ? units.slice(-1) : units.slice(first, first + 2);
  return shown.map(([unit, count]) => `${count}${unit}`).join(' ');
}

function formatExamples(examples: Command['examples']): string {
  return examples.map(([line, meaning]) => `  ${line}\n      ${meaning}\n`).join('');
}

function table(rows: readonly (readonly string[])[], indent = '  '): string {
  const width = Math.max(...rows.map(([label = '']) => label.length));
  return rows
    .map(([label = '', text = '']) => `${label.padEnd(width)}  ${text}`)
    .map((line) => `${indent}${printable(line)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}
