// SPDX-License-Identifier: Apache-2.0
// Writes the files that deploy-files.ts makes; scripts/deploy-update runs it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deployFiles } from '../../src/kubernetes/manifests/deploy-files.js';
import { readVersion } from '../../src/version.js';

for (const [path, text] of deployFiles(readVersion())) {
  const file = join('deploy', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
