// SPDX-License-Identifier: Apache-2.0
// fuzz-corpus DIRECTORY: the texts of the captured hosts, as seeds of each fuzz target.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTree } from '../test/_support/tree.js';

const hosts = fileURLToPath(new URL('../test/fixtures/hosts', import.meta.url));

/** Which of a host's files each target reads. */
const targets: Readonly<Record<string, RegExp>> = {
  proc: /^proc\/(meminfo|cpuinfo|stat|vmstat|diskstats|swaps)$/,
  cgroup: /^cgroup\/.*\/(memory|cpu|cpuacct|io|blkio)\.[^/]+$/,
  cpu_list:
    /^(cgroup\/.*\/cpuset\.[^/]*cpus[^/]*|sys\/.*\/(online|possible|[^/]*_list|[^/]*cpus))$/,
  pid: /^proc\/\d+\/(stat|status|personality)$/,
  mountinfo: /^proc\/\d+\/mountinfo$/,
  cgroup_paths: /^proc\/\d+\/cgroup$/,
  config_edit: /^$/,
  view_name: /^proc\/\d+\/comm$/,
  journal: /^$/,
};

const largestSeedBytes = 8192;

function addSeed(directory: string, text: Buffer): void {
  const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
  writeFileSync(join(directory, name), text);
}

const [corpus] = process.argv.slice(2);
if (corpus === undefined) throw new Error('Usage: fuzz-corpus DIRECTORY');
for (const name of Object.keys(targets)) mkdirSync(join(corpus, name), { recursive: true });
for (const file of readdirSync(hosts).filter((name) => name.endsWith('.tree'))) {
  for (const entry of parseTree(readFileSync(join(hosts, file))).entries) {
    if (entry.kind !== 'file') continue;
    for (const [name, pattern] of Object.entries(targets)) {
      if (!pattern.test(entry.path)) continue;
      addSeed(join(corpus, name), Buffer.from(entry.content).subarray(0, largestSeedBytes));
    }
  }
}
addSeed(join(corpus, 'view_name'), Buffer.from('system.slice=docker-0a1b.scope'));
addSeed(join(corpus, 'view_name'), Buffer.from('/a%b/c=d'));
addSeed(join(corpus, 'cgroup'), Buffer.from('some 150000 1000000'));
for (const hooks of [
  '',
  '"hooks":null',
  '"hooks":{}',
  '"hooks":{"createRuntime":[{"path":"/a"}]}',
]) {
  const members = [
    '"ociVersion":"1.0.2"',
    '"process":{"args":["a\\u00e9"],"oomScoreAdj":-9e2}',
    hooks,
  ];
  addSeed(join(corpus, 'config_edit'), Buffer.from(`{${members.filter(Boolean).join(',\n\t')}}`));
}
addSeed(join(corpus, 'journal'), Buffer.from([1, 0, 0, 0, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]));
