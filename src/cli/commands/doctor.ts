// SPDX-License-Identifier: Apache-2.0
import { directoriesOf } from '../../config/last-good.js';
import { loadConfig } from '../../config/load.js';
import { describeProblem } from '../../config/parse.js';
import { controlSocketPath } from '../../config/paths.js';
import { examine } from '../../containers/doctor.js';
import { formatFindings } from '../../containers/doctor-output.js';
import { ask } from '../../control/client.js';
import { attachablePaths } from '../../native/attach.js';
import { formatJson } from '../client.js';
import { type Command, exitCodes } from '../command.js';
import { configFlags, configOption, runDirOption, treeOption } from '../config-options.js';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Looks at the host, its container engines and their containers, and says what to do',
  operands: [],
  options: {
    json: { type: 'boolean', help: 'print JSON' },
    tree: treeOption,
    'run-dir': runDirOption,
    config: configOption,
  },
  examples: [
    ['lensfs doctor', 'exit code 1 when a line says "fail"'],
    ['lensfs doctor --json | jq ".[] | select(.level != \\"ok\\")"', 'what is to be done'],
  ],
  run: async (args, io) => {
    const parsed = await loadConfig(configFlags(args));
    const { tree, run_dir } = parsed.ok ? parsed.config : directoriesOf(parsed.entries);
    const findings = await examine({
      tree,
      runDir: run_dir,
      askDaemon: async () => await ask(controlSocketPath(run_dir), 'status'),
      configProblems: parsed.ok ? [] : parsed.problems.map(describeProblem),
      paths: attachablePaths('all'),
    });
    const text = args.isSet('json') ? formatJson(findings) : formatFindings(findings);
    io.stdout.write(text);
    const hasFailure = findings.some(({ level }) => level === 'fail');
    return hasFailure ? exitCodes.failure : exitCodes.ok;
  },
};
