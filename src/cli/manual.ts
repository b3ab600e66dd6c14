// SPDX-License-Identifier: Apache-2.0
// The manual pages, in the language of man(7), from what help and `config init` are made of. Pure.
import { defaultTexts } from '../config/default-file.js';
import { type ConfigKey, configKeys, defaultConfigFile, defaultTree } from '../config/schema.js';
import { envName } from '../config/sources.js';
import { type Command, exitCodeMeanings } from './command.js';
import { helpOption } from './output.js';

export const manualPages = ['lensfs', 'lensfs.yaml'] as const;
export type ManualPage = (typeof manualPages)[number];

/** The text of lensfs(1) or lensfs.yaml(5). */
export function formatManual(
  page: ManualPage,
  commands: readonly Command[],
  version: string,
): string {
  return page === 'lensfs' ? programPage(commands, version) : configPage(version);
}

function programPage(commands: readonly Command[], version: string): string {
  return [
    title('LENSFS', 1, version, 'System Administration'),
    section('NAME', ['lensfs \\- gives containers truthful /proc files']),
    section('SYNOPSIS', ['.B lensfs', roff('COMMAND [OPTION ...]'), '.br', '.B lensfs \\-\\-help']),
    section('DESCRIPTION', [
      paragraph(
        'lensfs is a daemon of the host that gives every container its own /proc files and its own',
        '/sys/devices/system/cpu: what free, top, uptime, lscpu and others read there are the',
        "container's limits and usage instead of the host's.",
      ),
      '.PP',
      paragraph(
        '"lensfs serve" is the daemon. The other commands ask it over its control socket, look at',
        'the host, or prepare container runtimes.',
      ),
    ]),
    section('COMMANDS', commands.flatMap(describeCommand)),
    section(
      'EXIT STATUS',
      exitCodeMeanings.flatMap(([code, text]) => item(`${code}`, [text])),
    ),
    section('ENVIRONMENT', [
      paragraph(
        'Each key of the configuration can be set by a variable of its own, such as',
        `${envName('cpu.count')} for cpu.count. NO_COLOR turns colours off.`,
      ),
    ]),
    section('FILES', [
      ...item(defaultConfigFile, ['The configuration, see lensfs.yaml(5).']),
      ...item(defaultTree, ['The public tree: what containers mount.']),
      ...item('/run/lensfs/control.sock', ['The control socket: HTTP and JSON.']),
    ]),
    section('SEE ALSO', ['.BR lensfs.yaml (5),', '.BR proc (5),', '.BR cgroups (7)']),
  ].join('');
}

function describeCommand(command: Command): string[] {
  const { name, operands, summary, options, examples } = command;
  const rows = Object.entries({ ...options, help: helpOption });
  return [
    `.SS "${roff([`lensfs ${name}`, ...operands].join(' '))}"`,
    roff(`${summary}.`),
    ...rows.flatMap(([option, { short, placeholder, help }]) => {
      const names = short === undefined ? `--${option}` : `-${short}, --${option}`;
      return item(names, [help], placeholder);
    }),
    '.PP',
    'Examples:',
    ...examples.flatMap(([line, meaning]) => item(line, [meaning])),
  ];
}

function configPage(version: string): string {
  const defaults = defaultTexts();
  return [
    title('LENSFS.YAML', 5, version, 'File Formats'),
    section('NAME', ['lensfs.yaml \\- configuration of lensfs']),
    section('SYNOPSIS', [`.I ${roff(defaultConfigFile)}`, '.br', '.I /etc/lensfs/conf.d/*.yaml']),
    section('DESCRIPTION', [
      paragraph(
        'A YAML mapping. Every key may be left out. Files in conf.d beside the configuration file are',
        'read after it, in the order of their names; then environment variables, then options of the',
        'command line; what comes later wins. Unknown keys are mistakes.',
      ),
      '.PP',
      paragraph(
        '"lensfs config check" lists all mistakes, "lensfs config init" writes a file with every key',
        'as a comment, "lensfs config schema" prints a JSON Schema for editors, "lensfs reload"',
        'applies changes.',
      ),
    ]),
    section(
      'KEYS',
      configKeys.flatMap((key) => describeKey(key, defaults)),
    ),
    section('EXAMPLE', ['.nf', ...example.map(roff), '.fi']),
    section('SEE ALSO', ['.BR lensfs (1)']),
  ].join('');
}

const example = [
  'freshness: 100ms',
  'control: {group: adm}',
  'profiles:',
  '  - match: {cgroup: "/docker/*"}',
  '    swap: off',
  '  - match: {label: team=data}',
  '    cpu: {count: cpuset}',
];

function describeKey(key: ConfigKey, defaults: Record<string, unknown>): string[] {
  const { name, description, expected, live } = key;
  return item(name, [
    `${description}: ${expected}.`,
    `Default: ${defaultOf(name, defaults)}.`,
    `Variable: ${envName(name)}.`,
    live ? 'A reload applies it.' : 'Takes effect after a restart.',
  ]);
}

function defaultOf(name: string, defaults: Record<string, unknown>): string {
  const [parent = '', leaf] = name.split('.');
  const value = defaults[parent];
  if (name === 'files') return 'all';
  if (name === 'profiles') return 'none';
  return String(leaf === undefined ? value : (value as Record<string, unknown>)[leaf]);
}

function title(name: string, number: number, version: string, manual: string): string {
  return `.TH ${name} ${number} "" "lensfs ${roff(version)}" "${manual}"\n`;
}

function section(name: string, lines: readonly string[]): string {
  return `.SH ${name}\n${lines.map((line) => `${line}\n`).join('')}`;
}

/** A tagged paragraph: the tag in bold, a placeholder for its value in italics. */
function item(tag: string, sentences: readonly string[], placeholder?: string): string[] {
  const value = placeholder === undefined ? '' : ` \\fI${roff(placeholder)}\\fR`;
  return ['.TP', `\\fB${roff(tag)}\\fR${value}`, ...sentences.map(roff)];
}

function paragraph(...lines: string[]): string {
  return lines.map(roff).join('\n');
}

/** Plain text, so that nothing in it is a request or a hyphen that may be broken at. */
function roff(text: string): string {
  const escaped = text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/"/g, '\\(dq');
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
