// SPDX-License-Identifier: Apache-2.0
// The package's install script: `node dist/install.js [--from-source]`.
import { LensfsError } from './errors.js';
import { installNative } from './native/install.js';

const fromSource = process.argv.includes('--from-source');
try {
  await installNative(fromSource, (text) => process.stderr.write(text));
} catch (error) {
  if (!(error instanceof LensfsError)) throw error;
  process.stderr.write(`lensfs: ${error.message}\n`);
  process.exitCode = 1;
}
