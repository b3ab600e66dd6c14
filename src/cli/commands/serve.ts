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
    const load = () => loadConfig(flags);
    const parsed = await load();
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    // Here, so that the other commands start without the HTTP server.
    const { Daemon } = await import('../../daemon/daemon.js');
    await Daemon.run({ config: parsed.config, loadConfig: load });
    return exitCodes.ok;
  },
};
