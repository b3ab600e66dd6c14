// SPDX-License-Identifier: Apache-2.0
// Tells of the containers that runtimes have names for, as they come and go.
import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { codeOf } from '../errors.js';
import { type RuntimeDirectories, readContainerName } from './container-names.js';
import type { NamedContainer } from './profile-rules.js';

// A runtime writes a container's files after it has made their directory, in a few steps.
const lookAgainAfterMs = [0, 20, 100, 500, 2_000];

/** Watches until disposed. A container is known before its first process runs: its files are written when it is made. */
export class ContainerWatch implements Disposable {
  readonly #directories: RuntimeDirectories;
  readonly #onChange: (containers: NamedContainer[]) => void;
  readonly #watchers: FSWatcher[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #known = new Map<string, NamedContainer>();
  #lastLook: Promise<void> = Promise.resolve();

  private constructor(
    directories: RuntimeDirectories,
    onChange: (containers: NamedContainer[]) => void,
  ) {
    this.#directories = directories;
    this.#onChange = onChange;
  }

  static start(
    directories: RuntimeDirectories,
    onChange: (containers: NamedContainer[]) => void,
  ): ContainerWatch {
    const started = new ContainerWatch(directories, onChange);
    for (const directory of Object.values(directories)) started.#watch(directory);
    started.#lookSoon();
    return started;
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #watch(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#lookSoon());
      // It was removed: nobody makes containers there any more.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
    }
  }

  #lookSoon(): void {
    for (const delayMs of lookAgainAfterMs) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#lastLook = this.#lastLook.then(() => this.#look());
      }, delayMs).unref();
      this.#timers.add(timer);
    }
  }

  async #look(): Promise<void> {
    const lists = await Promise.all(Object.values(this.#directories).map(listIds));
    const ids = new Set(lists.flat());
    const before = [...this.#known.keys()].join();
    const known = new Map<string, NamedContainer>();
    for (const id of ids) {
      const found = this.#known.get(id) ?? (await readContainerName(`/${id}`, this.#directories));
      if (found !== undefined) known.set(id, { ...found, id });
    }
    this.#known = known;
    if ([...known.keys()].join() !== before) this.#onChange([...known.values()]);
  }
}

async function listIds(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
}
