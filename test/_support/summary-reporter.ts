// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What a run came to; `skips` holds one line per skipped test. */
export interface Summary {
  passed: number;
  failed: number;
  skips: string[];
}

/**
 * Counts a finished run.
 *
 * A file that cannot be loaded and a suite whose hook fails count as one failure each: neither
 * has a failed test to show for it.
 */
export function summarize(modules: Iterable<TestModule>, unhandledErrors: number): Summary {
  const summary: Summary = { passed: 0, failed: unhandledErrors, skips: [] };
  for (const module of modules) {
    summary.failed += module.errors().length;
    for (const suite of module.children.allSuites()) summary.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') summary.passed += 1;
      else if (result.state === 'failed') summary.failed += 1;
      else {
        const note = (result.state === 'skipped' && result.note) || reasonOfSuite(test);
        summary.skips.push(
          `${relative(process.cwd(), module.moduleId)} > ${test.fullName}: ${note}`,
        );
      }
    }
  }
  return summary;
}

/** Tests whose suite's hook failed count as skipped, and nobody gave a reason for them. */
function reasonOfSuite({ parent }: TestCase): string {
  const failed = parent.type === 'suite' && parent.errors().length > 0;
  return failed ? 'its suite failed' : 'no reason given';
}

/**
 * Prints the reason of each skipped test and, as the last line, the run's three numbers.
 *
 * With `CI=true` a skipped test fails the run: there, everything must have run.
 */
export default class SummaryReporter implements Reporter {
  // What is printed when the run dies before it has ended.
  #summary: Summary = { passed: 0, failed: 1, skips: [] };

  onInit(): void {
    // At exit, because vitest's own report comes after every reporter's onTestRunEnd.
    process.once('exit', () => {
      const { passed, failed, skips } = this.#summary;
      if (failed > 0) process.exitCode ||= 1;
      for (const skip of skips) write(`skipped: ${skip}`);
      if (skips.length > 0 && process.env['CI'] === 'true') {
        write('CI=true: a skipped test fails the run');
        process.exitCode ||= 1;
      }
      write(`${passed} passed, ${failed} failed, ${skips.length} skipped`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    this.#summary = summarize(modules, errors.length);
  }
}

/** Synchronous, so that nothing is lost when the process exits. */
function write(line: string): void {
  writeSync(1, `${line}\n`);
}
