// SPDX-License-Identifier: Apache-2.0
// What `lensfs explain` says.
import { type Explained, type Explanation, explainFile } from '../../src/explain/explain.js';
import type { NativeEngine, RenderTarget } from '../../src/native/binding.js';

/** All files of a reader. */
export function explainAll(engine: NativeEngine, target: RenderTarget): Explanation[] {
  return engine.files().map((file) => explainFile(file, engine.explain(file, target)));
}

/**
 * One number of a file.
 *
 * @throws {Error} when the file has no such number
 */
export function explainNumber(
  engine: NativeEngine,
  file: string,
  name: string,
  target: RenderTarget,
): Explained {
  const { numbers } = explainFile(file, engine.explain(file, target));
  const found = numbers.find((number) => number.name === name);
  if (found === undefined) throw new Error(`no ${name} in ${file}`);
  return found;
}
