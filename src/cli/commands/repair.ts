// SPDX-License-Identifier: Apache-2.0
import { repairContainers } from '../../containers/attachments.js';
import { formatOutcome } from '../../containers/attachments-output.js';
import { type Command, exitCodes } from '../command.js';
import { configOption, runDirOption, treeOption } from '../config-options.js';
import { checkTarget, openWorkbench, pickTargets } from '../container-targets.js';

export const repair: Command = {
  name: 'repair',
  summary:
    'Renews files of containers whose daemon has died, where they do not follow by themselves',
  operands: ['[CONTAINER]'],
  options: {
    all: { type: 'boolean', help: 'every container that runs' },
    json: { type: 'boolean', help: 'print JSON' },
    tree: treeOption,
    'run-dir': runDirOption,
    config: configOption,
  },
  examples: [
    ['lensfs repair --all', 'all containers, after the daemon was killed and started again'],
    ['lensfs repair web', 'one container'],
  ],
  run: async (args, io) => {
    checkTarget('repair', args);
    const bench = await openWorkbench(args, io);
    if (bench === undefined) return exitCodes.usage;
    await using engine = bench.engine;
    let hasFailed = false;
    const targets = await pickTargets(args, { onlyReady: false, heedsChoice: false });
    for (const outcome of await repairContainers(targets, { ...bench, engine })) {
      hasFailed ||= outcome.error !== undefined || outcome.left.length > 0;
      io.stdout.write(formatOutcome('repair', outcome, args.isSet('json')));
    }
    return hasFailed ? exitCodes.failure : exitCodes.ok;
  },
};
