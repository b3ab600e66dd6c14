// SPDX-License-Identifier: Apache-2.0
// Command line -> exit code. The one place that turns errors into exit codes.
import { codeOf, LensfsError } from '../errors.js';
import { readVersion } from '../version.js';
import { type Command, exitCodes, type Io, parseArguments, UsageError } from './command.js';
import { attach } from './commands/attach.js';
import { completionOf } from './commands/completion.js';
import { config } from './commands/config.js';
import { detach } from './commands/detach.js';
import { doctor } from './commands/doctor.js';
import { explain } from './commands/explain.js';
import { hook } from './commands/hook.js';
import { kubernetesManifests } from './commands/kubernetes-manifests.js';
import { kubernetesNode } from './commands/kubernetes-node.js';
import { kubernetesScan } from './commands/kubernetes-scan.js';
import { kubernetesWebhook } from './commands/kubernetes-webhook.js';
import { manualOf } from './commands/manual.js';
import { metrics } from './commands/metrics.js';
import { mounts } from './commands/mounts.js';
import { reload } from './commands/reload.js';
import { repair } from './commands/repair.js';
import { serve } from './commands/serve.js';
import { show } from './commands/show.js';
import { stage } from './commands/stage.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { top } from './commands/top.js';
import { views } from './commands/views.js';
import { formatCommandHelp, formatHelp } from './output.js';

const others: readonly Command[] = [
  serve,
  stage,
  status,
  views,
  top,
  show,
  explain,
  config,
  reload,
  stop,
  hook,
  attach,
  detach,
  repair,
  mounts,
  doctor,
  metrics,
  kubernetesManifests,
  kubernetesNode,
  kubernetesScan,
  kubernetesWebhook,
];
export const commands: readonly Command[] = [
  ...others,
  manualOf(() => commands),
  completionOf(() => commands),
];

/** Runs one command line, without the program's name in front; resolves to the exit code. */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  // A reader that has seen enough ("| head") is no failure.
  io.stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') throw error;
  });
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (!(error instanceof LensfsError)) throw error;
    io.stderr.write(`lensfs: ${error.message}\n`);
    if (!(error instanceof UsageError)) return exitCodeFor(error);
    io.stderr.write('Try "lensfs --help"\n');
    return exitCodes.usage;
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<number> {
  const [name] = argv;
  if (name === undefined) throw new UsageError('missing command');
  if (name === '--help' || name === '-h' || name === 'help') {
    io.stdout.write(formatHelp(commands));
    return exitCodes.ok;
  }
  if (name === '--version') {
    io.stdout.write(`${readVersion()}\n`);
    return exitCodes.ok;
  }
  const command = commands.find((candidate) => isNamed(candidate, argv));
  if (command === undefined) throw unknownCommand(argv);
  const args = parseArguments(command, argv.slice(command.name.split(' ').length));
  if (!args.isSet('help')) return await command.run(args, io);
  io.stdout.write(formatCommandHelp(command));
  return exitCodes.ok;
}

/** A name may have two words, such as "kubernetes scan". */
function isNamed({ name }: Command, argv: readonly string[]): boolean {
  return name === argv.slice(0, name.split(' ').length).join(' ');
}

function unknownCommand([first = '', second]: readonly string[]): UsageError {
  const group = commands.map(({ name }) => name).filter((name) => name.startsWith(`${first} `));
  if (group.length === 0) {
    return new UsageError(`unknown ${first.startsWith('-') ? 'option' : 'command'} "${first}"`);
  }
  const what = second === undefined ? 'missing command after' : `unknown command "${second}" after`;
  return new UsageError(`${what} "${first}": one of ${group.join(', ')}`);
}

function exitCodeFor(error: LensfsError): number {
  return error.code === 'invalid_configuration' ? exitCodes.usage : exitCodes.failure;
}
