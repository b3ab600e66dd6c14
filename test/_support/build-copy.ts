// SPDX-License-Identifier: Apache-2.0
// A copy of the built program, which a test may change: another build of the same.
import { cp, mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './lensfs.js';
import type { TempDir } from './temp-dir.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const executables = ['addon.node', 'lensfs-keeper'];

/** Machine code. */
const readsNullPointer = Buffer.from(
  process.arch === 'arm64'
    ? [0x00, 0x00, 0x80, 0xd2, 0x00, 0x00, 0x40, 0xf9] // mov x0, #0; ldr x0, [x0]
    : [0x31, 0xc0, 0x48, 0x8b, 0x00], // xor eax, eax; mov rax, [rax]
);
const jumpsToItself = Buffer.from(
  process.arch === 'arm64' ? [0x00, 0x00, 0x00, 0x14] : [0xeb, 0xfe], // b . ; jmp .
);

export class BuildCopy {
  readonly program: string;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
    this.program = join(root, 'dist/main.js');
  }

  static async create(dir: TempDir): Promise<BuildCopy> {
    const root = dir.at('program');
    await mkdir(join(root, 'build/Release'), { recursive: true });
    await cp(join(repository, 'dist'), join(root, 'dist'), { recursive: true });
    for (const name of executables) {
      await cp(join(repository, 'build/Release', name), join(root, 'build/Release', name));
    }
    await cp(join(repository, 'package.json'), join(root, 'package.json'));
    await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
    return new BuildCopy(root);
  }

  /** What the next worker says its version is. */
  async setVersion(version: string): Promise<void> {
    const path = join(this.#root, 'package.json');
    const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...manifest, version }));
  }

  /**
   * Makes a C++ function of the addon end its process with SIGSEGV as soon as it is called, also in processes that run
   * already: they have the file mapped. The returned function undoes it.
   *
   * @param name the function's own name, without its namespaces
   */
  poison(name: string): Promise<() => Promise<void>> {
    return this.#replaceFunction(name, readsNullPointer);
  }

  /** Makes a C++ function go on for ever, until the returned function lets it return. As with `poison`. */
  halt(name: string): Promise<() => Promise<void>> {
    return this.#replaceFunction(name, jumpsToItself);
  }

  async #replaceFunction(name: string, code: Buffer): Promise<() => Promise<void>> {
    const path = join(this.#root, 'build/Release/addon.node');
    const offset = await offsetOfFunction(path, name);
    const file = await open(path, 'r+');
    const whole = Buffer.alloc(code.length);
    await file.read(whole, 0, whole.length, offset);
    await file.write(code, 0, whole.length, offset);
    return async () => {
      await file.write(whole, 0, whole.length, offset);
      await file.close();
    };
  }

  /** Makes workers end as soon as they start; the returned function undoes it. */
  breakWorker(): Promise<() => Promise<void>> {
    return this.replaceWorker('process.abort();\n');
  }

  /** Makes other JavaScript of workers; the returned function undoes it. */
  async replaceWorker(text: string): Promise<() => Promise<void>> {
    const path = join(this.#root, 'dist/worker.js');
    const whole = await readFile(path, 'utf8');
    await writeFile(path, text);
    return () => writeFile(path, whole);
  }
}

/** Where a function's code is in a library that has its symbols. */
async function offsetOfFunction(path: string, name: string): Promise<number> {
  const { stdout } = await run('nm', ['--defined-only', '--demangle', path]);
  const line = stdout.split('\n').find((each) => each.includes(`::${name}(`));
  if (line === undefined) throw new Error(`No function "${name}" in "${path}"`);
  const address = Number.parseInt(line, 16);
  const headers = (await run('objdump', ['--private-headers', path])).stdout;
  const segments = headers.matchAll(/LOAD off +(\w+) vaddr (\w+).*\n +filesz (\w+)/g);
  for (const [, offset, start, size] of segments) {
    const distance = address - Number(start);
    if (distance >= 0 && distance < Number(size)) return Number(offset) + distance;
  }
  throw new Error(`No segment of "${path}" has "${name}"`);
}
