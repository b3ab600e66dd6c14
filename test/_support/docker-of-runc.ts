// SPDX-License-Identifier: Apache-2.0
// What docker.ts offers, by runc alone: for a virtual machine, in which dockerd, containerd and their shims
// would take minutes. The bundler of test/vm puts it in that file's place.
//
// Takes the flags of `docker run` that the tests use, and fails for any other.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Argv, Container, type InsideOptions } from './container.js';
import type { Requirement } from './requirement.js';
import { Runc, type RuncContainer, type RuncOptions } from './runc.js';
import { TempDir } from './temp-dir.js';
import { mebibyte } from './units.js';

export const dockerEngine: Requirement = { met: () => true, missing: '' };

const places = new Map<string, Promise<Runc>>();
const running = new Map<string, DockerContainer>();

/** A container of the same making as Docker's. */
export class DockerContainer extends Container {
  readonly #place: Runc;
  readonly #options: RuncOptions;
  #container: RuncContainer;

  private constructor(place: Runc, options: RuncOptions, container: RuncContainer) {
    super();
    this.#place = place;
    this.#options = options;
    this.#container = container;
    running.set(container.name, this);
  }

  static async start(
    tree: string,
    flags: readonly string[] = [],
    command?: readonly string[],
  ): Promise<DockerContainer> {
    let place = places.get(tree);
    place ??= Runc.create(tree);
    places.set(tree, place);
    const output = (await TempDir.create()).at('output');
    const limits = await toOptions(flags);
    const options = { ...limits, outputFile: output, ...(command && { command }) };
    const runc = await place;
    return new DockerContainer(runc, options, await runc.start(options));
  }

  override get name(): string {
    return this.#container.name;
  }

  override inside(argv: readonly string[], options?: InsideOptions): Argv {
    return this.#container.inside(argv, options);
  }

  override async pid(): Promise<number> {
    return await this.#container.pid();
  }

  async logs(): Promise<string> {
    return await readFile(this.#options.outputFile ?? '', 'utf8');
  }

  async update(...flags: string[]): Promise<void> {
    const { memoryBytes, memorySwapBytes, cpus, cpuset } = await toOptions(flags);
    const quota = (cpus ?? 0) * 100_000;
    await this.#container.update(
      ...(memoryBytes === undefined ? [] : ['--memory', `${memoryBytes}`]),
      ...(memorySwapBytes === undefined ? [] : ['--memory-swap', `${memorySwapBytes}`]),
      ...(cpus === undefined ? [] : ['--cpu-quota', `${quota}`, '--cpu-period', '100000']),
      ...(cpuset === undefined ? [] : ['--cpuset-cpus', cpuset]),
    );
  }

  async restart(): Promise<void> {
    await this.#container[Symbol.asyncDispose]();
    running.delete(this.name);
    this.#container = await this.#place.start(this.#options);
    running.set(this.name, this);
  }

  async kill(): Promise<void> {
    await this.#container.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    running.delete(this.name);
    await this.#container[Symbol.asyncDispose]();
  }
}

/** `rm --force NAME ...`. */
export async function docker(command: string, ...args: string[]): Promise<string> {
  if (command !== 'rm') throw new Error(`No docker ${command} here`);
  const names = args.filter((argument) => argument !== '--force');
  await Promise.all(names.map(async (name) => await running.get(name)?.[Symbol.asyncDispose]()));
  return '';
}

async function toOptions(flags: readonly string[]): Promise<RuncOptions> {
  const { values } = parseArgs({
    args: joinValues(flags),
    options: {
      'cap-add': { type: 'string', multiple: true, default: [] },
      'cgroup-parent': { type: 'string' },
      cgroupns: { type: 'string', default: 'private' },
      cpus: { type: 'string' },
      'cpuset-cpus': { type: 'string' },
      memory: { type: 'string' },
      'memory-swap': { type: 'string' },
      pid: { type: 'string' },
      'security-opt': { type: 'string' },
    },
  });
  const memoryBytes = toBytes(values.memory);
  const swapBytes = toBytes(values['memory-swap']) ?? (memoryBytes && 2 * memoryBytes);
  const pidNamespace = await toPidNamespace(values.pid);
  return {
    cgroupMount: true,
    cgroupNamespace: values.cgroupns === 'private',
    capabilities: [...defaultCapabilities, ...values['cap-add'].map((name) => `CAP_${name}`)],
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(swapBytes !== undefined && { memorySwapBytes: swapBytes }),
    ...(values.cpus !== undefined && { cpus: Number(values.cpus) }),
    ...(values['cpuset-cpus'] !== undefined && { cpuset: values['cpuset-cpus'] }),
    ...(values['cgroup-parent'] !== undefined && { cgroupParent: values['cgroup-parent'] }),
    ...(pidNamespace !== undefined && { pidNamespace }),
  };
}

/** "--memory-swap -1" as "--memory-swap=-1": a value may look like a flag. */
function joinValues(flags: readonly string[]): string[] {
  const words = [...flags];
  const joined: string[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    joined.push(word.includes('=') ? word : `${word}=${words.shift() ?? ''}`);
  }
  return joined;
}

const defaultCapabilities = ['CAP_DAC_OVERRIDE', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID'];

/** "64m" or "-1". */
function toBytes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return text.endsWith('m') ? Number.parseInt(text, 10) * mebibyte : Number(text);
}

async function toPidNamespace(text: string | undefined): Promise<'host' | number | undefined> {
  if (text === undefined || text === 'host') return text;
  return await running.get(text.replace(/^container:/, ''))?.pid();
}
