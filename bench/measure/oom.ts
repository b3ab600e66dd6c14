// SPDX-License-Identifier: Apache-2.0
// How far MemAvailable (and SwapFree) is from what a container then gets until the kernel ends it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { TestCgroup } from '../../test/_support/cgroup.js';
import { Swap } from '../../test/_support/swap.js';
import { TempDir } from '../../test/_support/temp-dir.js';
import { mebibyte } from '../../test/_support/units.js';
import type { Driver } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import { type OomCase, oomCases } from '../oom-cases.js';
import type { OomTask } from '../scenarios.js';
import { HugePages } from './huge-pages.js';
import { loadProgram } from './programs.js';

const meminfo = 'proc/meminfo';
/** There is no ratio to nothing. */
const leastPercent = 0.01;
/** Of both numbers in the file that the program shares with us. */
const resultBytes = 16;

export async function measureOom(driver: Driver, task: OomTask): Promise<Outcome> {
  const oomCase = oomCases.find(({ name }) => name === task.case);
  if (oomCase === undefined) throw new Error(`No case "${task.case}"`);
  await using _swap = oomCase.swap ? await Swap.ensure(oomCase.swap * mebibyte) : null;
  await using _pages = oomCase.hugePages ? await HugePages.add(oomCase.hugePages) : null;
  await using tree = await CaseTree.make(oomCase);
  if (oomCase.neighbour) await tree.addNeighbour(oomCase.neighbour, oomCase.grows);
  const find = await driver.filesFor(tree.container.path);
  const { told, taken } = await tree.eat(find(meminfo), oomCase);
  const smallest = Math.min(oomCase.limit, ...(oomCase.above ?? []).flatMap((each) => each ?? []));
  const tooMuchPercent = ((told - taken) / (smallest * mebibyte)) * 100;
  return {
    values: {
      errorPercent: Math.max(leastPercent, Math.abs(tooMuchPercent)),
      optimismPercent: Math.max(leastPercent, tooMuchPercent),
      toldMib: told / mebibyte,
      takenMib: taken / mebibyte,
    },
    errors: told === 0 ? 1 : 0,
  };
}

/** The container's cgroup, those above it, and a neighbour's; each process in it is ended with it. */
class CaseTree implements AsyncDisposable {
  readonly container: TestCgroup;
  readonly #cgroups: TestCgroup[];
  readonly #dir: TempDir;
  #neighbour: ChildProcess | undefined;

  private constructor(cgroups: TestCgroup[], container: TestCgroup, dir: TempDir) {
    this.#cgroups = cgroups;
    this.container = container;
    this.#dir = dir;
  }

  static async make({ limit, above = [] }: OomCase): Promise<CaseTree> {
    const cgroups: TestCgroup[] = [];
    for (const [level, mib] of [...above, limit].entries()) {
      const limits = mib === null ? {} : { memoryBytes: mib * mebibyte };
      const parent = cgroups.at(-1);
      cgroups.push(await (parent?.child(`level-${level}`, limits) ?? TestCgroup.create(limits)));
    }
    const container = cgroups.at(-1);
    if (container === undefined) throw new Error('No cgroup');
    return new CaseTree(cgroups, container, await TempDir.create());
  }

  /** A process beside the container that has done `steps`, and takes `grows` when it is told to. */
  async addNeighbour(steps: readonly string[], grows = 'ask'): Promise<void> {
    const cgroup = await this.#cgroups.at(-2)?.child('neighbour');
    if (cgroup === undefined) throw new Error('A neighbour needs a cgroup above the container');
    this.#cgroups.push(cgroup);
    const child = await this.#spawn(cgroup, '/proc/meminfo', 'neighbour', [
      ...steps,
      'wait',
      grows,
      'wait',
    ]);
    this.#neighbour = child;
    if (child.stdout === null) throw new Error('No output');
    await once(child.stdout, 'data');
  }

  /** What the container is told, and what it has got when it has ended. */
  async eat(
    path: string,
    { before = [], grows, kind }: OomCase,
  ): Promise<{ told: number; taken: number }> {
    const pause = grows === undefined ? [] : ['wait'];
    // Of two processes that the kernel may end, this is the one.
    const steps = ['first', ...before, 'ask', ...pause, kind];
    const child = await this.#spawn(this.container, path, 'container', steps);
    const said = child.stderr === null ? '' : text(child.stderr);
    if (grows !== undefined && child.stdout !== null) {
      await once(child.stdout, 'data');
      this.#neighbour?.stdin?.write('\n');
      child.stdin?.write('\n');
    }
    await once(child, 'close');
    if ((await said).includes('cannot do')) throw new Error(await said);
    const result = await readFile(this.#dir.at('container'));
    return {
      told: Number(result.readBigUInt64LE(0)),
      taken: Number(result.readBigUInt64LE(8)),
    };
  }

  async #spawn(
    cgroup: TestCgroup,
    path: string,
    result: string,
    steps: readonly string[],
  ): Promise<ChildProcess> {
    await writeFile(this.#dir.at(result), Buffer.alloc(resultBytes));
    const bytes = steps.map((step) =>
      step.startsWith('slab') ? step : step.replace(/\d+$/, (mib) => `${Number(mib) * mebibyte}`),
    );
    const program = loadProgram('lensfs-eater');
    const [command, args] = cgroup.contain(program, path, this.#dir.at(result), ...bytes);
    return spawn(command, args, { cwd: this.#dir.path, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cgroup of this.#cgroups.reverse()) await cgroup[Symbol.asyncDispose]();
    await this.#dir[Symbol.asyncDispose]();
  }
}
