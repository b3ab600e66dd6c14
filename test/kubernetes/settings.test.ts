// SPDX-License-Identifier: Apache-2.0
// No value is there for nothing, and none is left out of what the chart and the generator are compared with.
import { describe, expect, test } from 'vitest';
import {
  type ConditionName,
  conditionNames,
  type Inputs,
  knownInputs,
  shapeOf,
} from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { parts } from '../../src/kubernetes/manifests/render.js';
import { valuesSchema } from '../../src/kubernetes/manifests/values.js';
import { settings } from './fixtures/settings.js';

/** Whether each condition held that a builder asked about. */
type Answers = Map<ConditionName, Set<boolean>>;

function build(sets: readonly string[], answers: Answers = new Map()): string {
  const inputs = knownInputs(parseValues({ sets }), 'elsewhere', '0');
  const when: Inputs['when'] = (name) => {
    const condition = inputs.when(name);
    answers.set(name, new Set([...(answers.get(name) ?? []), condition.holds]));
    return condition;
  };
  const itemWhen: Inputs['itemWhen'] = (name, item) => (when(name).holds ? [item] : []);
  const manifests = Object.values(parts).flatMap((part) => part({ ...inputs, when, itemWhen }));
  return JSON.stringify(manifests.filter(({ when: { holds } }) => holds));
}

function leavesOf(schema: object, path: string): string[] {
  const shape = shapeOf(schema);
  if (shape === undefined) return [path];
  return Object.entries(shape).flatMap(([key, inner]) =>
    leavesOf(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** Whether the objects are others without what one setting says about a key. */
function makesADifference(key: string): boolean {
  return Object.values(settings).some((sets) => {
    const rest = sets.filter((set) => !set.startsWith(`${key}=`));
    return rest.length < sets.length && build(rest) !== build(sets);
  });
}

describe('the settings', () => {
  for (const key of leavesOf(valuesSchema, '')) {
    test(`use ${key}, and something depends on it`, () => {
      expect(makesADifference(key)).toBe(true);
    });
  }

  test('meet every condition, and miss it', () => {
    const answers: Answers = new Map();
    for (const sets of Object.values(settings)) build(sets, answers);
    expect([...answers.keys()].sort()).toEqual([...conditionNames].sort());
    for (const [name, held] of answers) expect([...held].sort(), name).toEqual([false, true]);
  });
});
