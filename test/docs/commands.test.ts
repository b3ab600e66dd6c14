// SPDX-License-Identifier: Apache-2.0
// Runs every command of the pages for users, on a host of its own for each page. What cannot be here, and what is in its
// place:
//
//   systemctl          the same programs, started and signalled as the units say (_support/private-host.ts)
//   debian:12          an image with a static busybox, of that name
//   a Kubernetes API   kubectl reads and prints each object (--local), helm renders; both send nothing
//                      (_support/doc-cluster.ts)
//   docker build       of the image with the whole Dockerfile: test/kubernetes/image-run.test.ts
//   npm ci and build   `doneBefore`
//   the packages       test/package/packages.test.ts makes, installs and uses them: `doneElsewhere`
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { capturesOf, lineProblems, tableProblems } from '../_support/captures.js';
import { copyBusybox } from '../_support/container-root.js';
import { blocksOf, type DocBlock, matchesShown } from '../_support/doc-blocks.js';
import { runInCluster } from '../_support/doc-cluster.js';
import { mountRequirements } from '../_support/mounted.js';
import { PrivateHost } from '../_support/private-host.js';
import { command, testWith } from '../_support/requirements.js';

const needed = ['dockerd', 'docker', 'podman', 'runc', 'containerd', 'ctr', 'curl', 'promtool'];
const test = testWith(...mountRequirements, ...needed.map(command));

/** Lines that are not run again, as whoever runs this test has just run them in this very checkout. */
const doneBefore = ['scripts/install-deps build', 'npm ci', 'npm run build'];

/** Lines that would change this checkout or this machine. */
const doneElsewhere = [
  'npm run package',
  'npm run package:deb',
  'apt-get install ./build-packages/lensfs_*.deb',
  'npm install --global ./build-packages/lensfs-*.tgz',
];

const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

describe('every command of', () => {
  for (const page of pages) {
    const blocks = blocksOf(page, readFileSync(page, 'utf8'));
    if (!blocks.some(({ kind }) => kind.startsWith('sh') || kind === 'yaml config')) continue;
    test(page, async () => {
      const uses = (word: string) => blocks.some(({ text }) => text.includes(word));
      await using host = await PrivateHost.start({
        docker: uses('docker run'),
      });
      copyBusybox(host.dir.at('rootfs'));
      if (blocks.some(({ kind }) => kind === 'sh containerd')) await host.startContainerd();
      let printed = '';
      for (const block of blocks) printed = await check(host, block, printed);
    }, 1_200_000);
  }
});

/** Checks one block; gives what it printed. */
async function check(host: PrivateHost, block: DocBlock, printed: string): Promise<string> {
  const where = `${block.page}:${block.line}`;
  switch (block.kind) {
    case 'sh':
    case 'sh podman':
    case 'sh containerd':
      return await runOn(host, block.text, where);
    case 'sh checkout': {
      const lines = block.text
        .split('\n')
        .filter((line) => ![...doneBefore, ...doneElsewhere].includes(line.replace(/\s*#.*$/, '')));
      return await runOn(host, lines.join('\n'), where);
    }
    case 'sh cluster':
      return await runInCluster(host, block.text, where);
    case 'text output':
      expect(matchesShown(block.text, printed), `${where}: printed\n${printed}`).toBe(true);
      return printed;
    case 'text capture':
      for (const { command, lines } of capturesOf(block.text)) {
        const typed = command.replace(/--pid \d+$/, `--pid ${await pidOfWeb(host)}`);
        const now = (await runOn(host, typed, where)).replaceAll(host.cgroupParent, '/docker');
        const isTable = /^lensfs (views|top)/.test(command);
        const problems = isTable ? tableProblems(lines, now) : lineProblems(lines, now);
        expect(problems, `${where}: "${command}" printed\n${now}`).toEqual([]);
      }
      return printed;
    case 'yaml config': {
      const file = host.dir.at('config.yaml');
      writeFileSync(file, block.text);
      await runOn(host, `lensfs config check --config ${file}`, where);
      return printed;
    }
    default:
      return printed;
  }
}

async function runOn(host: PrivateHost, script: string, where: string): Promise<string> {
  const { code, stdout, stderr } = await host.sh(`ROOTFS=${host.dir.at('rootfs')}\n${script}`);
  expect(code, `${where}: ${stderr}${stdout}`).toBe(0);
  return stdout;
}

/** On the host; a page shows the number that it had when the page was written. */
async function pidOfWeb(host: PrivateHost): Promise<number> {
  return Number(await host.output("docker inspect --format '{{.State.Pid}}' web"));
}
