// SPDX-License-Identifier: Apache-2.0
// A base for the image without a registry: Debian from its mirror, with this machine's Node.js in /usr/local, where the
// base that the Dockerfile names has it.
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './lensfs.js';

/** What a RUN needs, Node.js needs, and who looks on. */
const packages = 'base-files,coreutils,dash,libstdc++6';

const timeoutMs = 600_000;

/** Makes the root file system in `root`, which does not exist. */
export async function makeImageBase(root: string): Promise<void> {
  // Configuring packages takes minutes, and nothing here needs it.
  const argv = ['--variant=extract', `--include=${packages}`, 'bookworm', root];
  const { code, stderr } = await run('mmdebstrap', argv, { timeout: timeoutMs });
  if (code !== 0) throw new Error(`mmdebstrap: ${stderr}`);
  await cp(process.execPath, join(root, 'usr/local/bin/node'));
}
