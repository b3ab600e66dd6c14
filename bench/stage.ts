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

  async add(name: DriverName): Promise<void> {
    this.#stages.set(name, await Stage.set(name));
  }

  get(name: DriverName): Stage | undefined {
    return this.#stages.get(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stage of this.#stages.values()) await stage[Symbol.asyncDispose]();
  }
}
