// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { configJsonSchema, formatDefaultFile } from '../../config/default-file.js';
import { loadConfig } from '../../config/load.js';
import { defaultConfigFile } from '../../config/schema.js';
import { configTexts } from '../../config/texts.js';
import { codeOf, messageOf } from '../../errors.js';
import { formatJson, jsonOption } from '../client.js';
import { type Arguments, type Command, exitCodes, type Io, UsageError } from '../command.js';
import {
  configFlags,
  configOption,
  runDirOption,
  setOption,
  treeOption,
} from '../config-options.js';
import { formatProblems } from '../output.js';

const actions = { init, check, show, schema } as const;
const actionNames = Object.keys(actions).join(', ');

export const config: Command = {
  name: 'config',
  summary: 'Makes, checks and shows the configuration: init, check, show, schema',
  operands: ['ACTION', '[FILE]'],
  operandValues: [Object.keys(actions)],
  options: {
    json: jsonOption,
    config: configOption,
    tree: treeOption,
    'run-dir': runDirOption,
    set: setOption,
  },
  examples: [
    ['lensfs config check', 'all mistakes in the file, conf.d and the environment'],
    ['lensfs config init', `writes ${defaultConfigFile} with every key as a comment`],
    ['lensfs config init -', 'prints it instead'],
    ['lensfs config show --set cpu.count=cpuset', 'what would be in force'],
    ['lensfs config schema', 'a JSON Schema for editors'],
  ],
  run: async (args, io) => {
    const [name = '', file] = args.positionals;
    if (!(name in actions)) {
      throw new UsageError(`config: unknown action "${name}": one of ${actionNames}`);
    }
    if (file !== undefined && name !== 'init') {
      throw new UsageError(`config: unexpected argument "${file}"`);
    }
    return await actions[name as keyof typeof actions](args, io);
  },
};

async function init(args: Arguments, io: Io): Promise<number> {
  if (args.isSet('json')) {
    throw new UsageError('config: --json is for check, show and schema, not for init');
  }
  const path = args.positionals[1] ?? args.text('config') ?? defaultConfigFile;
  if (path === '-') {
    io.stdout.write(formatDefaultFile());
    return exitCodes.ok;
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, formatDefaultFile(), { flag: 'wx', mode: 0o644 });
  } catch (error) {
    const reason =
      codeOf(error) === 'EEXIST'
        ? 'it is there already: remove it first, or name another file'
        : messageOf(error);
    io.stderr.write(`lensfs: Cannot write "${path}": ${reason}\n`);
    return exitCodes.failure;
  }
  io.stdout.write(`Wrote ${path}\n`);
  return exitCodes.ok;
}

async function check(args: Arguments, io: Io): Promise<number> {
  const parsed = await loadConfig(configFlags(args));
  const problems = parsed.ok ? [] : parsed.problems;
  if (args.isSet('json')) io.stdout.write(formatJson({ problems }));
  else if (!parsed.ok) io.stderr.write(formatProblems(problems));
  else io.stdout.write('The configuration is right\n');
  return parsed.ok ? exitCodes.ok : exitCodes.usage;
}

async function show(args: Arguments, io: Io): Promise<number> {
  const parsed = await loadConfig(configFlags(args));
  if (!parsed.ok) {
    io.stderr.write(formatProblems(parsed.problems));
    return exitCodes.usage;
  }
  const texts = configTexts(parsed.config);
  io.stdout.write(args.isSet('json') ? formatJson(texts) : stringify(texts));
  return exitCodes.ok;
}

async function schema(_args: Arguments, io: Io): Promise<number> {
  io.stdout.write(formatJson(configJsonSchema()));
  return exitCodes.ok;
}
