// SPDX-License-Identifier: Apache-2.0
// The alert rules, by Prometheus' own checker.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { run } from '../_support/lensfs.js';
import { alertRules, rulesFile } from '../_support/metric-names.js';
import { command, testWith } from '../_support/requirements.js';

const testsFile = rulesFile.replace(/\.yaml$/, '.test.yaml');
const test = testWith(command('promtool'));

test('promtool accepts the rules', async () => {
  const { code, stdout } = await run('promtool', ['check', 'rules', rulesFile]);
  expect([code, stdout]).toEqual([
    0,
    expect.stringContaining(`${alertRules().length} rules found`),
  ]);
});

test('each alert fires when it is to, and only then', async () => {
  expect(await run('promtool', ['test', 'rules', testsFile])).toMatchObject({ code: 0 });
  const { tests } = parse(readFileSync(testsFile, 'utf8')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[];
  };
  const cases = tests.flatMap((each) => each.alert_rule_test);
  for (const { alert } of alertRules()) {
    const own = cases.filter(({ alertname }) => alertname === alert);
    expect(
      own.some(({ exp_alerts: fired }) => fired !== undefined),
      alert,
    ).toBe(true);
    expect(
      own.some(({ exp_alerts: fired }) => fired === undefined),
      alert,
    ).toBe(true);
  }
});
