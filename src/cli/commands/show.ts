// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '../../config/load.js';
import { pinnedDirectory } from '../../config/paths.js';
import { filesOfCatalog } from '../../config/virtual-files.js';
import { openEngine } from '../../daemon/engine.js';
import { formatJson, jsonOption } from '../client.js';
import { type Command, exitCodes, UsageError } from '../command.js';
import { configFlags, configOption, runDirOption, setOption } from '../config-options.js';
import { formatProblems } from '../output.js';
import { readTarget, targetOptions } from '../target.js';

export const show: Command = {
  name: 'show',
  summary: 'Prints a file as a container sees it; needs no daemon and no mount',
  operands: ['[FILE]'],
  operandValues: [filesOfCatalog],
  options: {
    ...targetOptions,
    view: {
      type: 'boolean',
      help: 'print the directory of its pinned files instead, which a running daemon has',
    },
    json: jsonOption,
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
    const target = readTarget('show', args);
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
      const directory = pinnedDirectory(parsed.config.run_dir, engine.viewName(target));
      io.stdout.write(args.isSet('json') ? formatJson({ directory }) : `${directory}\n`);
      return exitCodes.ok;
    }
    const file = operand.replace(/^\/+/, '');
    const files = engine.files();
    if (!files.includes(file)) {
      throw new UsageError(`show: no virtual file "${file}": one of ${files.join(', ')}`);
    }
    const text = engine.show(file, target);
    io.stdout.write(args.isSet('json') ? formatJson({ file, text }) : text);
    return exitCodes.ok;
  },
};
