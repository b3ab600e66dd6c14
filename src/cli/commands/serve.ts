// SPDX-License-Identifier: Apache-2.0
import { loadOrLastGood } from '../../config/last-good.js';
import type { Outlive } from '../../daemon/launch.js';
import { type Arguments, type Command, exitCodes, UsageError } from '../command.js';
import {
  configFlags,
  configOption,
  runDirOption,
  setOption,
  treeOption,
} from '../config-options.js';
import { formatProblems } from '../output.js';

const outliveCgroup = '/lensfs';
const outliveMaxSec = 86_400;

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
    outlive: {
      type: 'string',
      placeholder: 'SECONDS',
      help: 'go on for so long when the container ends in which it runs, until the next one takes over',
    },
    'outlive-cgroup': {
      type: 'string',
      placeholder: 'PATH',
      help: `where it goes on (default: ${outliveCgroup})`,
    },
  },
  examples: [
    ['lensfs serve', 'serves /var/lib/lensfs; SIGHUP reloads the configuration'],
    [
      'lensfs serve --tree /srv/lens --run-dir /run/lens --set cpu.count=cpuset',
      'a second daemon beside the first, with another policy',
    ],
    [
      'lensfs serve --leave-mounted --outlive 600',
      'in a container: its end, and the start of another one, are invisible',
    ],
  ],
  run: async (args, io) => {
    const outlive = outliveOf(args);
    const flags = configFlags(args);
    const parsed = await loadOrLastGood(flags);
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    // Here, so that the other commands start without what only this one needs.
    const { launch } = await import('../../daemon/launch.js');
    const leaveMounted = args.isSet('leave-mounted');
    return await launch({ ...parsed, flags, leaveMounted, outlive });
  },
};

function outliveOf(args: Arguments): Outlive | undefined {
  const text = args.text('outlive');
  const cgroup = args.text('outlive-cgroup') ?? outliveCgroup;
  if (text === undefined) return undefined;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= outliveMaxSec)) {
    throw new UsageError(`--outlive: expected seconds from 0 to ${outliveMaxSec}, got "${text}"`);
  }
  if (!/^(\/[\w.-]*\w)+$/.test(cgroup)) {
    throw new UsageError(`--outlive-cgroup: expected a path such as "/lensfs", got "${cgroup}"`);
  }
  return { seconds, cgroup };
}
