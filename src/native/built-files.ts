// SPDX-License-Identifier: Apache-2.0
// Where the addon and the native executables are: what was built on this machine, or what the package brought along.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of the package, above src/ and dist/. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** What a build on this machine makes. */
const builtDirectory = 'build/Release/';

/** What a package has for machines without a compiler. */
export const prebuiltDirectory = `prebuilds/${process.platform}-${process.arch}/`;

/** The path of a file such as "lensfs-hook"; where a build would put it when there is none. */
export function builtFile(name: string): string {
  const candidates = [builtDirectory, prebuiltDirectory].map(
    (directory) => packageRoot + directory,
  );
  const found = candidates.find((directory) => existsSync(directory + name));
  return (found ?? packageRoot + builtDirectory) + name;
}
