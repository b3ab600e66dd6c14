// SPDX-License-Identifier: Apache-2.0
import { loadOrLastGood } from '../../config/last-good.js';
import { type Command, exitCodes, UsageError } from '../command.js';
import {
  configFlags,
  configOption,
  runDirOption,
  setOption,
  treeOption,
} from '../config-options.js';
import { formatProblems } from '../output.js';

export const stage: Command = {
  name: 'stage',
  summary: "Makes the public tree with the host's own files, which containers can mount at once",
  operands: [],
  options: {
    native: {
      type: 'boolean',
      help: "put the host's files on top of a tree that there is, for all containers to see",
    },
    remove: {
      type: 'boolean',
      help: 'take away what a daemon has left mounted; containers keep the files they have',
    },
    config: configOption,
    tree: treeOption,
    'run-dir': runDirOption,
    set: setOption,
  },
  examples: [
    ['lensfs stage', 'before container runtimes start; "lensfs serve" then puts its files on top'],
    ['lensfs stage --native', 'after a daemon has ended: no container is left without its files'],
    ['lensfs stage --remove', 'when lensfs is uninstalled'],
  ],
  run: async (args, io) => {
    if (args.isSet('native') && args.isSet('remove')) {
      throw new UsageError('stage: --native and --remove exclude each other');
    }
    const parsed = await loadOrLastGood(configFlags(args));
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    const { removeLeftovers, stageHostFiles } = await import('../../daemon/stage.js');
    if (args.isSet('remove')) await removeLeftovers(parsed.config);
    else await stageHostFiles(parsed.config, { onTop: args.isSet('native') });
    return exitCodes.ok;
  },
};
