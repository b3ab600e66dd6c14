// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { directoriesOf } from '../../config/last-good.js';
import { loadConfig } from '../../config/load.js';
import { installIn, removeFrom } from '../../containers/edit-host-file.js';
import type { HookOptions, HostFile } from '../../containers/hook-options.js';
import { formatEdit } from '../../containers/hook-output.js';
import { type HostFileName, hostFiles } from '../../containers/host-files.js';
import { attachablePaths } from '../../native/attach.js';
import { builtFile } from '../../native/built-files.js';
import { formatJson, jsonOption } from '../client.js';
import { type Arguments, type Command, exitCodes, UsageError } from '../command.js';
import { configFlags, configOption } from '../config-options.js';
import { attachedFilesOption } from '../files-option.js';

const programs = dirname(builtFile('lensfs-hook'));
const names = Object.keys(hostFiles) as HostFileName[];

export const hook: Command = {
  name: 'hook',
  summary: 'Makes Docker, Podman, containerd, CRI-O, CDI or LXC give new containers their view',
  operands: ['install|remove', names.join('|')],
  operandValues: [['install', 'remove'], names],
  options: {
    json: jsonOption,
    default: { type: 'boolean', help: 'every container, not only those that ask for it' },
    'dry-run': { type: 'boolean', help: 'print what would change, and change nothing' },
    files: attachedFilesOption,
    file: {
      type: 'string',
      placeholder: 'FILE',
      help: "edit this file instead of the program's usual one",
    },
    'bin-dir': {
      type: 'string',
      placeholder: 'DIR',
      help: 'where lensfs-hook and lensfs-runtime are (default: where they were built)',
    },
    config: configOption,
    tree: {
      type: 'string',
      placeholder: 'DIR',
      help: "the daemon's tree, when the configuration does not say it",
    },
    'run-dir': { type: 'string', placeholder: 'DIR', help: "the daemon's run directory, likewise" },
  },
  examples: [
    ['lensfs hook install docker', 'docker run --runtime lensfs ...'],
    ['lensfs hook install docker --default', 'every container of Docker'],
    ['lensfs hook install cdi --dry-run', 'what would be written for --device lensfs.io/view=all'],
    ['lensfs hook remove docker', 'as it was before'],
  ],
  run: async (args, io) => {
    const [action = '', name = ''] = args.positionals;
    if (action !== 'install' && action !== 'remove') {
      throw new UsageError(`hook: expected install or remove, got "${action}"`);
    }
    if (!isHostFileName(name)) {
      throw new UsageError(`hook: expected one of ${names.join(', ')}, got "${name}"`);
    }
    const file: HostFile = hostFiles[name];
    const path = resolve(args.text('file') ?? file.path);
    const isDryRun = args.isSet('dry-run');
    const options = await readOptions(args);
    if (action === 'install') checkOptions(options);
    const [edit, ...others] =
      action === 'install'
        ? await installIn(file, path, options, isDryRun)
        : await removeFrom(file, path, isDryRun);
    if (edit === undefined) throw new Error('no edit');
    const usage = action === 'install' ? file.usage(options) : undefined;
    const notes = {
      isDryRun,
      reload: edit.reload ?? file.reload,
      usage,
      sharedWith: file.sharedWith,
    };
    if (args.isSet('json')) {
      io.stdout.write(formatJson({ ...edit, ...notes, others }));
      return exitCodes.ok;
    }
    for (const { diff } of [edit, ...others]) io.stdout.write(diff);
    io.stderr.write(formatEdit(edit, notes));
    return exitCodes.ok;
  },
};

async function readOptions(args: Arguments): Promise<HookOptions> {
  const configured = directoriesOf((await loadConfig(configFlags(args))).entries);
  const usual = directoriesOf([]);
  return {
    binDir: resolve(args.text('bin-dir') ?? programs),
    tree: args.text('tree') ?? unlessUsual(configured.tree, usual.tree),
    runDir: args.text('run-dir') ?? unlessUsual(configured.run_dir, usual.run_dir),
    files: args.text('files'),
    isDefault: args.isSet('default'),
  };
}

function unlessUsual(value: string, usual: string): string | undefined {
  return value === usual ? undefined : value;
}

/** What is written here takes effect in every container later. @throws UsageError */
function checkOptions({ binDir, files, tree, runDir }: HookOptions): void {
  for (const program of ['lensfs-hook', 'lensfs-runtime']) {
    if (existsSync(join(binDir, program))) continue;
    throw new UsageError(`hook: --bin-dir: expected a directory with ${program}, got "${binDir}"`);
  }
  for (const [name, value] of Object.entries({ tree, 'run-dir': runDir })) {
    if (value === undefined || value.startsWith('/')) continue;
    throw new UsageError(`hook: --${name}: expected an absolute path, got "${value}"`);
  }
  if (files !== undefined) attachablePaths(files);
}

function isHostFileName(name: string): name is HostFileName {
  return names.some((known) => known === name);
}
