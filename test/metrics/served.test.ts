// SPDX-License-Identifier: Apache-2.0
// What a real daemon measures, and whether what people load into Grafana and Prometheus asks for that.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { send } from '../_support/http.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { alertRules, dashboardExpressions, labelsOf, metricsOf } from '../_support/metric-names.js';
import { mountRequirements } from '../_support/mounted.js';
import { command, testWith } from '../_support/requirements.js';

const test = testWith(...mountRequirements);
const testWithPromtool = testWith(...mountRequirements, command('promtool'));

let daemon: RunningDaemon;
let text: string;

beforeAll(async () => {
  daemon = await RunningDaemon.start();
  await readFile(`${daemon.tree}/proc/meminfo`);
  text = (await send(`${daemon.runDir}/control.sock`, 'GET', '/v1/metrics')).body;
});

afterAll(async () => await daemon?.[Symbol.asyncDispose]());

/** Names of samples, such as "lensfs_read_duration_seconds_bucket". */
function served(): Set<string> {
  return new Set([...text.matchAll(/^(\w+)[{ ]/gm)].map(([, name = '']) => name));
}

describe('/v1/metrics', () => {
  testWithPromtool('has nothing that promtool complains of', async () => {
    const path = daemon.dir.at('metrics');
    await writeFile(path, text);
    expect(await run('sh', ['-c', 'promtool check metrics <"$1"', 'sh', path])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('has every metric and label that the dashboard names', () => {
    const expressions = dashboardExpressions();
    expect(expressions.length).toBeGreaterThan(15);
    for (const expression of expressions) expectServed(expression);
  });

  test('has every metric and label that an alert names', () => {
    for (const { alert, expr } of alertRules()) {
      if (alert !== 'LensfsDown') expect(metricsOf(expr), alert).not.toEqual([]);
      expectServed(expr);
    }
  });

  test('is all on the dashboard', () => {
    const shown = new Set(dashboardExpressions().flatMap(metricsOf));
    const hidden = [...served()]
      .filter((name) => !/_(sum|count)$/.test(name))
      .filter((name) => !shown.has(name));
    expect(hidden).toEqual([]);
  });
});

function expectServed(expression: string): void {
  for (const name of metricsOf(expression)) expect(served(), expression).toContain(name);
  for (const { metric, label, value } of labelsOf(expression)) {
    const sample = new RegExp(`^${metric}\\{(.*,)?${label}="${value}"[,}]`, 'm');
    expect(text, expression).toMatch(sample);
  }
}
