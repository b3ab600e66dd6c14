// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '../../config/load.js';
import { type Command, exitCodes } from '../command.js';
import {
  configFlags,
  configOption,
  runDirOption,
  setOption,
  treeOption,
} from '../config-options.js';
import { formatProblems } from '../output.js';

export const serve: Command = {
  name: 'serve',
  summary: 'Mounts the tree and serves it in the foreground until SIGTERM, SIGINT or "lensfs stop"',
  operands: [],
  options: {
    config: configOption,
    tree: treeOption,
    'run-dir': runDirOption,
    set: setOption,
    'leave-mounted': {
      type: 'boolean',
      help: 'at the end leave everything mounted, for a service manager that keeps the descriptors',
    },
  },
  examples: [
    ['lensfs serve', 'serves /var/lib/lensfs; SIGHUP reloads the configuration'],
    [
      'lensfs serve --tree /srv/lens --run-dir /run/lens --set cpu.count=cpuset',
      'a second daemon beside the first, with another policy',
    ],
  ],
  run: async (args, io) => {
    const flags = configFlags(args);
    const parsed = await loadConfig(flags);
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    // Here, so that the other commands start without what only this one needs.
    const { launch } = await import('../../daemon/launch.js');
    const leaveMounted = args.isSet('leave-mounted');
    return await launch({ config: parsed.config, flags, leaveMounted });
  },
};
