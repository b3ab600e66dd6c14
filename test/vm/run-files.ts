// SPDX-License-Identifier: Apache-2.0
// Runs test files that are bundled with it, with vitest's own runner and expectations but without vite and
// without processes of vitest, whose start takes minutes on an emulated processor.
//
// Writes a line of JSON for each test (`GuestResult`) to descriptor 3 as soon as it has ended. Several such processes share
// the files: each takes the next one that nobody has taken.
import './worker-state.js';
import { mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startTests, type Task, type VitestRunner } from '@vitest/runner';
import { codeOf } from '../../src/errors.js';
import { patience } from '../_support/patience.js';
import type { GuestResult } from './guest.js';

const timeoutMs = 30_000 * patience;
/** Results have a descriptor of their own: tests print figures. */
const resultsFd = 3;

interface TestError {
  readonly message: string;
  readonly stack?: string;
  readonly diff?: string;
  /** Of a SuppressedError. */
  readonly error?: TestError;
  readonly suppressed?: TestError;
}

/** `modules` by the names of their files; `takenDirectory` says which are taken. */
export async function runFiles(
  modules: Record<string, () => Promise<unknown>>,
  takenDirectory: string,
): Promise<void> {
  const runner: VitestRunner = {
    config: {
      root: process.cwd(),
      setupFiles: [],
      passWithNoTests: false,
      sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
      maxConcurrency: 1,
      testTimeout: timeoutMs,
      hookTimeout: 2 * timeoutMs,
      retry: 0,
    },
    pool: 'none',
    importFile: async (path) => await modules[path]?.(),
    onAfterRunTask: report,
    onTaskUpdate: async () => {},
  };
  for (const filepath of Object.keys(modules)) {
    if (!take(filepath, takenDirectory)) continue;
    const [file] = await startTests([{ filepath, testLocations: undefined }], runner);
    if (file !== undefined) reportRest(file);
  }
}

function take(filepath: string, takenDirectory: string): boolean {
  try {
    mkdirSync(join(takenDirectory, filepath.replaceAll('/', '-')));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

const reported = new Set<Task>();

function report(task: Task): void {
  reported.add(task);
  const { result } = task;
  const names = [task.name];
  for (let suite = task.suite; suite !== undefined; suite = suite.suite) names.unshift(suite.name);
  const errors = ((result?.errors ?? []) as TestError[]).map(describe);
  const note = result !== undefined && 'note' in result ? [`${result.note}`] : [];
  const line: GuestResult = {
    file: task.file.filepath,
    name: names.join(' > '),
    state: result?.state ?? task.mode,
    ms: Math.round(result?.duration ?? 0),
    details: [...note, ...errors].join('\n'),
  };
  writeSync(resultsFd, `${JSON.stringify(line)}\n`);
}

/** With what was expected, and with what a disposal has failed for afterwards. */
function describe(error: TestError): string {
  const { stack = error.message, diff = '' } = error;
  const others = [error.suppressed, error.error].filter((each) => each !== undefined);
  return [stack, diff, ...others.map(describe)].filter(Boolean).join('\n');
}

/** Skipped tests, and what is no test but has failed: a file that cannot be loaded, hooks. */
function reportRest(task: Task): void {
  const isSuite = task.type === 'suite';
  const hasErrors = (task.result?.errors ?? []).length > 0;
  if (isSuite ? hasErrors : !reported.has(task)) report(task);
  if (isSuite) for (const each of task.tasks) reportRest(each);
}
