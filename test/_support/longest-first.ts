// SPDX-License-Identifier: Apache-2.0
// The order of a run: what takes long goes first, so that the others go on beside it and none of it is left
// for one processor at the end.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A minute and a half and more. */
const longest = [
  'test/lifecycle/worker-death.test.ts',
  'test/package/packages.test.ts',
  'test/docs/commands.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isOf = (name: string) => (file: TestSpecification) => file.moduleId.endsWith(`/${name}`);
    const first = longest.flatMap((name) => sorted.filter(isOf(name)));
    return [...first, ...sorted.filter((file) => !first.includes(file))];
  }
}
