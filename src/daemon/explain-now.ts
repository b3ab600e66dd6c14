// SPDX-License-Identifier: Apache-2.0
// A file as it is now -> the answer that explains it.
import type { ExplainReply } from '../control/protocol.js';
import { explainFile } from '../explain/explain.js';
import type { NativeEngine, RenderTarget } from '../native/binding.js';

/** Where every number of `file` comes from, and the cgroups that limit its memory. */
export function explainNow(engine: NativeEngine, file: string, target: RenderTarget): ExplainReply {
  const rendering = engine.explain(file, target);
  return { ...explainFile(file, rendering), memoryLevels: rendering.memoryLevels };
}
