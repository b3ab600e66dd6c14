// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { attachContainers } from '../../containers/attachments.js';
import { formatOutcome } from '../../containers/attachments-output.js';
import { attachablePaths } from '../../native/attach.js';
import { type Command, exitCodes, UsageError } from '../command.js';
import { configOption, runDirOption, treeOption } from '../config-options.js';
import { checkTarget, openWorkbench, pickTargets } from '../container-targets.js';
import { attachedFilesOption } from '../files-option.js';

/** How often --follow looks for new containers. */
const lookEveryMs = 500;

export const attach: Command = {
  name: 'attach',
  summary: 'Gives running containers their own view',
  operands: ['[CONTAINER]'],
  options: {
    all: { type: 'boolean', help: 'every container that runs and does not say LENSFS=off' },
    follow: {
      type: 'boolean',
      help: 'with --all: also every container that starts, until stopped',
    },
    files: attachedFilesOption,
    json: { type: 'boolean', help: 'print JSON' },
    tree: treeOption,
    'run-dir': runDirOption,
    config: configOption,
  },
  examples: [
    ['lensfs attach web', 'the container that Docker, Podman or LXC calls "web"'],
    [
      'lensfs attach 4711 --files memory',
      'the memory of the container whose first process is 4711',
    ],
    ['lensfs attach --all --follow', 'every container, now and from now on'],
  ],
  run: async (args, io) => {
    checkTarget('attach', args);
    const follows = args.isSet('follow');
    if (follows && !args.isSet('all')) throw new UsageError('attach: --follow needs --all');
    const files = args.text('files') ?? 'all';
    if (attachablePaths(files).length === 0) {
      throw new UsageError(`attach: --files: expected at least one file, got "${files}"`);
    }
    const bench = await openWorkbench(args, io);
    if (bench === undefined) return exitCodes.usage;
    await using engine = bench.engine;
    const seen = new Set<string>();
    let hasFailed = false;
    do {
      const targets = (await pickTargets(args, { onlyReady: follows })).filter(
        ({ key }) => !seen.has(key),
      );
      for (const outcome of await attachContainers(targets, { ...bench, engine }, files)) {
        seen.add(outcome.key);
        hasFailed ||= outcome.error !== undefined;
        io.stdout.write(formatOutcome('attach', outcome, args.isSet('json')));
      }
      if (follows) await sleep(lookEveryMs);
    } while (follows);
    return hasFailed ? exitCodes.failure : exitCodes.ok;
  },
};
