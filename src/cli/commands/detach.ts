// SPDX-License-Identifier: Apache-2.0
import { detachContainers } from '../../containers/attachments.js';
import { formatOutcome } from '../../containers/attachments-output.js';
import { type Command, exitCodes } from '../command.js';
import { checkTarget, pickTargets } from '../container-targets.js';
import { attachedFilesOption } from '../files-option.js';

export const detach: Command = {
  name: 'detach',
  summary: "Takes the view away from running containers, which see the host's values again",
  operands: ['[CONTAINER]'],
  options: {
    all: { type: 'boolean', help: 'every container that runs' },
    files: attachedFilesOption,
    json: { type: 'boolean', help: 'print JSON' },
  },
  examples: [
    ['lensfs detach web', 'the container that Docker, Podman or LXC calls "web"'],
    ['lensfs detach --all', 'every container, before lensfs is removed'],
  ],
  run: async (args, io) => {
    checkTarget('detach', args);
    let hasFailed = false;
    const targets = await pickTargets(args, { onlyReady: false, heedsChoice: false });
    for (const outcome of await detachContainers(targets, args.text('files') ?? 'all')) {
      hasFailed ||= outcome.error !== undefined;
      io.stdout.write(formatOutcome('detach', outcome, args.isSet('json')));
    }
    return hasFailed ? exitCodes.failure : exitCodes.ok;
  },
};
