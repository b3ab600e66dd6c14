// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '../../config/load.js';
import { type Command, exitCodes } from '../command.js';
import { configFlags, configOption, setOption, treeOption } from '../config-options.js';
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
    config: configOption,
    tree: treeOption,
    set: setOption,
  },
  examples: [
    ['lensfs stage', 'before container runtimes start; "lensfs serve" then puts its files on top'],
    ['lensfs stage --native', 'after a daemon has ended: no container is left without its files'],
  ],
  run: async (args, io) => {
    const parsed = await loadConfig(configFlags(args));
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    const { stageHostFiles } = await import('../../daemon/stage.js');
    await stageHostFiles(parsed.config, { onTop: args.isSet('native') });
    return exitCodes.ok;
  },
};
