// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '../../config/load.js';
import { pinnedDirectory } from '../../config/paths.js';
import { openEngine } from '../../daemon/engine.js';
import type { RenderTarget } from '../../native/binding.js';
import { type Arguments, type Command, exitCodes, UsageError } from '../command.js';
import { configFlags, configOption, runDirOption, setOption } from '../config-options.js';
import { formatProblems } from '../output.js';

export const show: Command = {
  name: 'show',
  summary: 'Prints a file as a container sees it; needs no daemon and no mount',
  operands: ['[FILE]'],
  options: {
    pid: {
      type: 'string',
      placeholder: 'N',
      help: 'as this process sees it (default: lensfs itself)',
    },
    cgroup: {
      type: 'string',
      placeholder: 'PATH',
      help: 'as this cgroup sees it, such as /docker/0a1b2c',
    },
    view: {
      type: 'boolean',
      help: 'print the directory of its pinned files instead, which a running daemon has',
    },
    config: configOption,
    'run-dir': runDirOption,
    set: setOption,
  },
  examples: [
    ['lensfs show /proc/meminfo --pid 4711', 'the memory that process 4711 sees'],
    ['lensfs show proc/stat --cgroup /system.slice/nginx.service', 'the CPU times of a service'],
    ['lensfs show --view --pid 4711', 'where process 4711 has its own files, in the page cache'],
  ],
  run: async (args, io) => {
    const target = readTarget(args);
    const [operand] = args.positionals;
    if (args.isSet('view') === (operand !== undefined)) {
      throw new UsageError('show: expected either FILE or --view');
    }
    const parsed = await loadConfig(configFlags(args));
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    await using engine = openEngine(parsed.config);
    if (operand === undefined) {
      io.stdout.write(`${pinnedDirectory(parsed.config.run_dir, engine.viewName(target))}\n`);
      return exitCodes.ok;
    }
    const file = operand.replace(/^\/+/, '');
    const files = engine.files();
    if (!files.includes(file)) {
      throw new UsageError(`show: no virtual file "${file}": one of ${files.join(', ')}`);
    }
    io.stdout.write(engine.show(file, target));
    return exitCodes.ok;
  },
};

function readTarget(args: Arguments): RenderTarget {
  const [pid, cgroup] = [args.text('pid'), args.text('cgroup')];
  if (pid !== undefined && cgroup !== undefined) {
    throw new UsageError('show: --pid and --cgroup exclude each other');
  }
  if (cgroup !== undefined) {
    if (cgroup.startsWith('/')) return { cgroup };
    throw new UsageError(`show: --cgroup: expected a path from the root "/", got "${cgroup}"`);
  }
  if (pid === undefined) return { pid: process.pid };
  if (/^[1-9]\d{0,9}$/.test(pid)) return { pid: Number(pid) };
  throw new UsageError(`show: --pid: expected a process id, got "${pid}"`);
}
