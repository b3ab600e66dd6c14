// SPDX-License-Identifier: Apache-2.0
import { TestCgroup } from '../test/_support/cgroup.js';
import { drivers } from './drivers/all.js';
import type { Driver, DriverOptions, FindFile } from './drivers/driver.js';
import type { DriverName } from './measurement.js';
import { prefer } from './precedence.js';
import { limits } from './scenarios.js';

/** A started driver and a container that reads its files. */
export class Stage implements AsyncDisposable {
  readonly driver: Driver;
  readonly container: TestCgroup;
  readonly find: FindFile;

  private constructor(driver: Driver, container: TestCgroup, find: FindFile) {
    this.driver = driver;
    this.container = container;
    this.find = find;
  }

  static async set(name: DriverName, options: DriverOptions = {}): Promise<Stage> {
    const container = await TestCgroup.create(limits);
    let driver: Driver | undefined;
    try {
      await prefer(container);
      driver = await drivers[name](options);
      return new Stage(driver, container, await driver.filesFor(container.path));
    } catch (error) {
      await container[Symbol.asyncDispose]();
      await driver?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.container[Symbol.asyncDispose]();
    await this.driver[Symbol.asyncDispose]();
  }
}

/** Several at the same time, by driver. */
export class Stages implements AsyncDisposable {
  readonly #stages = new Map<DriverName, Stage>();

  async add(names: readonly DriverName[]): Promise<void> {
    const set = async (name: DriverName) => this.#stages.set(name, await Stage.set(name));
    throwFirst(await Promise.allSettled(names.map(set)));
  }

  get(name: DriverName): Stage | undefined {
    return this.#stages.get(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const dispose = (stage: Stage) => stage[Symbol.asyncDispose]();
    throwFirst(await Promise.allSettled([...this.#stages.values()].map(dispose)));
  }
}

/** Once all have ended, so that nothing goes on after an error. */
function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
