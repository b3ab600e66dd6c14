// SPDX-License-Identifier: Apache-2.0
// Writes test/fixtures/golden anew: npm run golden:update. Read the difference before you keep it.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CapturedHost, capturedContainers, goldenPath, renderAll } from './captured-hosts.js';

for (const [name, containers] of capturedContainers) {
  await using host = await CapturedHost.unpack(name);
  for (const container of containers) {
    await rm(goldenPath(container), { recursive: true, force: true });
    for (const [file, text] of renderAll(host, container)) {
      await mkdir(dirname(goldenPath(container, file)), { recursive: true });
      await writeFile(goldenPath(container, file), text);
    }
  }
}
