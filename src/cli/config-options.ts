// SPDX-License-Identifier: Apache-2.0
// The options that are about the configuration, shared by the commands.
import { directoriesOf } from '../config/last-good.js';
import { loadConfig } from '../config/load.js';
import { type ParseResult, parseConfig } from '../config/parse.js';
import { controlSocketPath } from '../config/paths.js';
import { configKeys, defaultConfigFile } from '../config/schema.js';
import type { ConfigFlags } from '../config/sources.js';
import type { Arguments, Option } from './command.js';

export const configOption: Option = {
  type: 'string',
  placeholder: 'FILE',
  help: `configuration file (default: ${defaultConfigFile}, if there is one)`,
};

export const setOption: Option = {
  type: 'string',
  multiple: true,
  placeholder: 'KEY=VALUE',
  values: configKeys.map(({ name }) => name),
  help: 'set one key of the configuration, such as cpu.count=cpuset; may be repeated',
};

export const runDirOption: Option = {
  type: 'string',
  placeholder: 'DIR',
  help: 'directory of the control socket (run_dir)',
};

export const treeOption: Option = {
  type: 'string',
  placeholder: 'DIR',
  help: 'directory the virtual files appear in (tree)',
};

export function configFlags(args: Arguments): ConfigFlags {
  return {
    file: args.text('config'),
    values: { tree: args.text('tree'), run_dir: args.text('run-dir') },
    sets: args.texts('set'),
  };
}

/**
 * Where the daemon listens that a command is for.
 *
 * With --run-dir nothing else is read, and without it nothing else needs to be right, so that a daemon can be reached
 * whatever has become of its configuration.
 */
export async function findSocket(
  args: Arguments,
): Promise<{ ok: true; socketPath: string } | Extract<ParseResult, { ok: false }>> {
  const runDir = args.text('run-dir');
  if (runDir === undefined) {
    const { entries } = await loadConfig(configFlags(args));
    return { ok: true, socketPath: controlSocketPath(directoriesOf(entries).run_dir) };
  }
  const parsed = parseConfig([{ key: 'run_dir', value: runDir, origin: '--run-dir' }]);
  if (!parsed.ok) return parsed;
  return { ok: true, socketPath: controlSocketPath(parsed.config.run_dir) };
}
