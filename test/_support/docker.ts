// SPDX-License-Identifier: Apache-2.0
// Containers of the run's private Docker daemon (see dockerd.ts).
import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { type Argv, Container, type InsideOptions } from './container.js';
import { type Bind, rootBinds, treeBinds } from './container-root.js';
import { dockerClient } from './dockerd.js';
import { run } from './lensfs.js';
import type { Requirement } from './requirement.js';

/** Idle, until it is killed. */
const idle = ['/busybox', 'sleep', '1000000'];

/** A private Docker daemon, which test/containers/docker-setup.ts starts. */
export const dockerEngine: Requirement = {
  met: () => typeof inject('docker') === 'object',
  missing: whyNoDocker(),
};

/** A container that Docker runs. */
export class DockerContainer extends Container {
  readonly name: string;

  private constructor(name: string) {
    super();
    this.name = name;
  }

  /**
   * Starts a container that has `tree` mounted as a user does it.
   *
   * @example
   * await using container = await DockerContainer.start(daemon.tree, ['--memory', '64m']);
   */
  static async start(
    tree: string,
    flags: readonly string[] = [],
    command: readonly string[] = idle,
  ): Promise<DockerContainer> {
    return await DockerContainer.startPlain([...treeBinds(tree).map(toVolume), ...flags], command);
  }

  /** Starts a container that has nothing of a tree but what the flags say. */
  static async startPlain(
    flags: readonly string[],
    command: readonly string[] = idle,
  ): Promise<DockerContainer> {
    const container = new DockerContainer(`lensfs-${randomUUID()}`);
    await docker('run', ...container.#runFlags(flags), ...command);
    return container;
  }

  /** Runs a command in a container of its own to its end; gives its standard output. */
  static async once(
    tree: string,
    flags: readonly string[],
    command: readonly string[],
  ): Promise<string> {
    await using container = await DockerContainer.start(tree, flags, command);
    await docker('wait', container.name);
    return await container.logs();
  }

  override inside(argv: readonly string[], { user, reads = false }: InsideOptions = {}): Argv {
    const flags = [
      ...(user === undefined ? [] : ['--user', `${user}:${user}`]),
      ...(reads ? ['--interactive'] : []),
    ];
    return [dockerClient, ...hostFlag(), 'exec', ...flags, this.name, ...argv];
  }

  override async pid(): Promise<number> {
    return Number(await docker('inspect', '--format', '{{.State.Pid}}', this.name));
  }

  /** What its first process has written. */
  async logs(): Promise<string> {
    return await docker('logs', this.name);
  }

  async update(...flags: string[]): Promise<void> {
    await docker('update', ...flags, this.name);
  }

  async restart(): Promise<void> {
    await docker('restart', this.name);
  }

  async kill(): Promise<void> {
    await docker('kill', this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker('rm', '--force', this.name);
  }

  #runFlags(flags: readonly string[]): string[] {
    return [
      ...['--detach', '--name', this.name, '--network', 'none', '--stop-signal', 'KILL'],
      ...[...rootBinds().map(toVolume), ...flags, endpoint().image],
    ];
  }
}

/** Runs Docker's client; gives its standard output without the last newline. */
export async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(dockerClient, [...hostFlag(), ...args]);
  if (code !== 0) throw new Error(`docker ${args[0]} ended with ${code}: ${stderr}`);
  return stdout.trimEnd();
}

function hostFlag(): string[] {
  return ['--host', `unix://${endpoint().socket}`];
}

/** Where the daemon is. */
export function endpoint() {
  const given = inject('docker');
  if (typeof given !== 'object') throw new Error(whyNoDocker());
  return given;
}

function whyNoDocker(): string {
  const given: unknown = inject('docker');
  return typeof given === 'string' ? given : 'needs the containers project of vitest.config.ts';
}

function toVolume({ from, to }: Bind): string {
  return `--volume=${from}:${to}:ro`;
}
