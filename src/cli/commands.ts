// SPDX-License-Identifier: Apache-2.0
// Every command, by its name. Each is loaded when it is called or explained, so that a call takes the time that its own
// modules take.
import type { Command } from './command.js';

type Load = () => Promise<Command>;

/** In the order of the help. A name may have two words, such as "kubernetes scan". */
const loads: Readonly<Record<string, Load>> = {
  serve: async () => (await import('./commands/serve.js')).serve,
  stage: async () => (await import('./commands/stage.js')).stage,
  status: async () => (await import('./commands/status.js')).status,
  views: async () => (await import('./commands/views.js')).views,
  top: async () => (await import('./commands/top.js')).top,
  show: async () => (await import('./commands/show.js')).show,
  explain: async () => (await import('./commands/explain.js')).explain,
  config: async () => (await import('./commands/config.js')).config,
  reload: async () => (await import('./commands/reload.js')).reload,
  stop: async () => (await import('./commands/stop.js')).stop,
  hook: async () => (await import('./commands/hook.js')).hook,
  attach: async () => (await import('./commands/attach.js')).attach,
  detach: async () => (await import('./commands/detach.js')).detach,
  repair: async () => (await import('./commands/repair.js')).repair,
  mounts: async () => (await import('./commands/mounts.js')).mounts,
  doctor: async () => (await import('./commands/doctor.js')).doctor,
  metrics: async () => (await import('./commands/metrics.js')).metrics,
  'kubernetes manifests': async () =>
    (await import('./commands/kubernetes-manifests.js')).kubernetesManifests,
  'kubernetes node': async () => (await import('./commands/kubernetes-node.js')).kubernetesNode,
  'kubernetes scan': async () => (await import('./commands/kubernetes-scan.js')).kubernetesScan,
  'kubernetes webhook': async () =>
    (await import('./commands/kubernetes-webhook.js')).kubernetesWebhook,
  manual: async () => (await import('./commands/manual.js')).manualOf(loadCommands),
  completion: async () => (await import('./commands/completion.js')).completionOf(loadCommands),
};

export const commandNames: readonly string[] = Object.keys(loads);

/** All of them whose names begin so. */
export async function loadCommands(prefix = ''): Promise<Command[]> {
  const found = Object.entries(loads).filter(([name]) => name.startsWith(prefix));
  return await Promise.all(found.map(([, load]) => load()));
}

/** The command that the arguments begin with. */
export async function loadCommand(argv: readonly string[]): Promise<Command | undefined> {
  const name = commandNames.find((each) => each === argv.slice(0, wordsOf(each)).join(' '));
  return name === undefined ? undefined : await loads[name]?.();
}

export function wordsOf(name: string): number {
  return name.split(' ').length;
}
