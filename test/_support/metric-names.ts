// SPDX-License-Identifier: Apache-2.0
// The names of metrics in what people load into Grafana and Prometheus.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const dashboardFile = 'deploy/grafana/lensfs.json';
export const rulesFile = 'deploy/prometheus/lensfs.rules.yaml';

interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
  templating: { list: { definition?: string }[] };
}

interface Rules {
  groups: { rules: { alert: string; expr: string }[] }[];
}

export function dashboardExpressions(): string[] {
  const { panels, templating } = JSON.parse(readFileSync(dashboardFile, 'utf8')) as Dashboard;
  const variables = templating.list.flatMap(({ definition }) => definition ?? []);
  return [...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), ...variables];
}

export function alertRules(): { alert: string; expr: string }[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as Rules;
  return groups.flatMap(({ rules }) => rules);
}

/** The metrics that an expression of PromQL is about: what begins as one of ours does. */
export function metricsOf(expression: string): string[] {
  return expression.match(/\b(?:lensfs|process)_\w+/g) ?? [];
}

/** The labels that an expression asks a metric for, besides those that Prometheus adds. */
export function labelsOf(expression: string): { metric: string; label: string; value: string }[] {
  const selectors = expression.matchAll(/\b((?:lensfs|process)_\w+)\{([^}]*)\}/g);
  return [...selectors].flatMap(([, metric = '', inner = '']) =>
    [...inner.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)]
      .filter(([, label]) => label !== 'instance' && label !== 'job')
      .map(([, label = '', value = '']) => ({ metric, label, value })),
  );
}
