// SPDX-License-Identifier: Apache-2.0
// The stage of the Dockerfile that compiles, without an engine: each instruction as it is written, on this machine
// instead of the base, with directories of a test's own for / (/src and /out).
//
// "npm ci" and a compiler take minutes: modules and objects are this checkout's, which the same commands have made. What
// is linked of the objects, and all of the JavaScript, is made anew, from nothing but what is in the build context.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { run } from './lensfs.js';

const timeoutMs = 300_000;
const checkout = process.cwd();
const linked = ['addon.node', 'obj.target/addon.node', 'lensfs-hook', 'lensfs-keeper'];

/** The instructions of the first stage, with their continuations joined. */
function instructionsOf(dockerfile: string): string[] {
  const [, stage = ''] = dockerfile.split(/^FROM /m);
  const lines = stage.replace(/\\\n/g, ' ').split('\n').slice(1);
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** Runs it in `root`, a directory. @throws {Error} with what an instruction has printed that fails */
export async function runBuildStage(path: string, root: string): Promise<void> {
  let directory = '';
  for (const instruction of instructionsOf(readFileSync(path, 'utf8'))) {
    const [, name = '', text = ''] = /^(\w+) +(.*)$/.exec(instruction) ?? [];
    if (name === 'WORKDIR') {
      directory = `${root}${text}`;
      await shell(checkout, `mkdir -p ${directory}`);
    } else if (name === 'COPY') {
      await copy(text.split(/\s+/), directory, `${path}.dockerignore`);
    } else if (name === 'RUN' && text.startsWith('npm ci')) {
      const kept = '--exclude=node_modules/.cache';
      await shell(checkout, `tar -c ${kept} node_modules | tar -x -C ${directory}`);
    } else if (name === 'RUN') {
      await runInstead(directory, text.replaceAll(' /out', ` ${root}/out`));
    } else {
      throw new Error(`No way to run "${instruction}"`);
    }
  }
}

async function copy(operands: string[], directory: string, ignoreFile: string): Promise<void> {
  const [source = '', target = ''] = operands;
  if (source !== '.') {
    const into = target.endsWith('/') ? directory : `${directory}/${dirname(target)}`;
    await shell(checkout, `mkdir -p ${into} && cp -a ${operands.slice(0, -1).join(' ')} ${into}/`);
    return;
  }
  const options = `--anchored --no-wildcards-match-slash --exclude-from=${ignoreFile}`;
  await shell(checkout, `tar -c ${options} $(ls -A) | tar -x -C ${directory}`);
  const made = linked.map((name) => `build/Release/${name}`).join(' ');
  await shell(directory, `cp -a ${checkout}/build . && rm ${made}`);
}

/** In the place of the checkout, whose path is in what its objects were made with: in another, all would be made anew. */
async function runInstead(directory: string, script: string): Promise<void> {
  const inside = `mount --bind ${directory} ${checkout} && cd ${checkout} && ${script}`;
  const { code, stdout, stderr } = await run('unshare', ['--mount', 'sh', '-ec', inside], {
    timeout: timeoutMs,
  });
  if (code !== 0) throw new Error(`"${script}" ended with ${code}: ${stdout}${stderr}`);
}

async function shell(cwd: string, script: string): Promise<void> {
  const { code, stdout, stderr } = await run('sh', ['-ec', script], { cwd, timeout: timeoutMs });
  if (code !== 0) throw new Error(`"${script}" ended with ${code}: ${stdout}${stderr}`);
}
