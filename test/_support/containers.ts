// SPDX-License-Identifier: Apache-2.0
// What the tests of containers share: a daemon per file, and containers that see its tree.
import { afterAll, expect } from 'vitest';
import { DockerContainer, docker, dockerEngine } from './docker.js';
import type { RunningDaemon } from './lensfs.js';
import { mountRequirements, statusOf, useDaemon } from './mounted.js';
import type { Requirement } from './requirement.js';
import { command, testWith } from './requirements.js';
import { Runc } from './runc.js';

/** What a test of containers needs of the machine. */
export const containerRequirements = [...mountRequirements, dockerEngine, command('runc')];

/** A test that needs a mount, Docker and runc. */
export const containerTest = testWith(...containerRequirements);

/** The same, for a test that needs more. */
export function containerTestWith(...more: Requirement[]) {
  return testWith(...containerRequirements, ...more);
}

/** Makes containers that see the tree of the file's daemon. */
export class Containers {
  readonly #daemon: () => RunningDaemon;
  #runc: Promise<Runc> | undefined;
  readonly #docker: DockerContainer[] = [];

  constructor(daemon: () => RunningDaemon) {
    this.#daemon = daemon;
  }

  /** Whether the machine can run any; without, all tests are skipped. */
  get areHere(): boolean {
    return containerRequirements.every((requirement) => requirement.met());
  }

  get daemon(): RunningDaemon {
    return this.#daemon();
  }

  /** A container of `docker run` with these flags. */
  async docker(
    flags: readonly string[] = [],
    command?: readonly string[],
  ): Promise<DockerContainer> {
    const container = await DockerContainer.start(this.daemon.tree, flags, command);
    this.#docker.push(container);
    return container;
  }

  /** The place for containers of runc. */
  async runc(): Promise<Runc> {
    this.#runc ??= Runc.create(this.daemon.tree);
    return await this.#runc;
  }

  /** Fails when a reader got something else than its own container's values. */
  async expectNoFallback(): Promise<void> {
    expect((await statusOf(this.daemon)).fallbacks).toEqual([]);
  }

  /** Removes all there are, also those that tests have removed already. */
  async dispose(): Promise<void> {
    const names = this.#docker.splice(0).map(({ name }) => name);
    if (names.length > 0) await docker('rm', '--force', ...names);
    const runc = await this.#runc;
    this.#runc = undefined;
    await runc?.[Symbol.asyncDispose]();
  }
}

/** Containers for the tests of a file; those that a test leaves behind are removed at its end. */
export function useContainers(...serveArgs: string[]): () => Containers {
  const containers = new Containers(useDaemon(...serveArgs));
  afterAll(async () => await containers.dispose());
  return () => containers;
}
