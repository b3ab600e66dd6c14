// SPDX-License-Identifier: Apache-2.0
import { loadConfig } from '../../config/load.js';
import { controlSocketPath } from '../../config/paths.js';
import type { Config } from '../../config/schema.js';
import { filesOfCatalog } from '../../config/virtual-files.js';
import { ask } from '../../control/client.js';
import { ControlError } from '../../control/control-error.js';
import type { ExplainReply } from '../../control/protocol.js';
import { openEngine } from '../../daemon/engine.js';
import { explainNow } from '../../daemon/explain-now.js';
import { formatJson, jsonOption } from '../client.js';
import { type Command, exitCodes, UsageError } from '../command.js';
import { configFlags, configOption, runDirOption, setOption } from '../config-options.js';
import { formatExplanation } from '../explain-output.js';
import { formatProblems } from '../output.js';
import { readTarget, targetOptions } from '../target.js';
import { tableOptionsOf } from '../terminal.js';

export const explain: Command = {
  name: 'explain',
  summary: 'Says where every number of a file comes from; needs no daemon and no mount',
  operands: ['FILE'],
  operandValues: [filesOfCatalog],
  options: {
    ...targetOptions,
    json: jsonOption,
    config: configOption,
    'run-dir': runDirOption,
    set: { ...setOption, help: `${setOption.help}; a daemon is not asked then` },
  },
  examples: [
    ['lensfs explain /proc/meminfo --pid 4711', 'why process 4711 sees so much memory'],
    [
      'lensfs explain proc/stat --pid 4711 --json | jq \'.numbers[] | select(.name == "cpu steal")\'',
      'one number, with the kernel files and what was in them',
    ],
  ],
  run: async (args, io) => {
    const target = readTarget('explain', args);
    const file = (args.positionals[0] ?? '').replace(/^\/+/, '');
    if (!filesOfCatalog.includes(file)) {
      throw new UsageError(
        `explain: no virtual file "${file}": one of ${filesOfCatalog.join(', ')}`,
      );
    }
    const parsed = await loadConfig(configFlags(args));
    if (!parsed.ok) {
      io.stderr.write(formatProblems(parsed.problems));
      return exitCodes.usage;
    }
    // A daemon explains with its own configuration, not with what --set asks for.
    const isOwn = args.texts('set').length > 0;
    const reply =
      (isOwn ? undefined : await askDaemon(parsed.config, file, target)) ??
      (await explainHere(parsed.config, file, target));
    io.stdout.write(
      args.isSet('json') ? formatJson(reply) : formatExplanation(reply, tableOptionsOf(io)),
    );
    return exitCodes.ok;
  },
};

type Target = ReturnType<typeof readTarget>;

/** A daemon knows what a container's counters have been; `undefined` when there is none to ask. */
async function askDaemon(
  config: Config,
  file: string,
  target: Target,
): Promise<ExplainReply | undefined> {
  const query = 'pid' in target ? { pid: String(target.pid) } : target;
  try {
    const socketPath = controlSocketPath(config.run_dir);
    return await ask(socketPath, 'explain', { params: { '*': file }, query });
  } catch (error) {
    const isUnreachable =
      error instanceof ControlError && ['not_running', 'no_access'].includes(error.code);
    if (isUnreachable) return undefined;
    throw error;
  }
}

async function explainHere(config: Config, file: string, target: Target): Promise<ExplainReply> {
  await using engine = openEngine(config);
  return explainNow(engine, file, target);
}
