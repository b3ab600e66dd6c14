// SPDX-License-Identifier: Apache-2.0
// Prometheus' text format. Pure.
// Source: prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4.

import { printable } from '../printable.js';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  /** Appended to the metric's name: "_bucket", "_sum" or "_count" of a histogram. */
  suffix?: string;
  labels?: Labels;
  value: number;
}

export interface Metric {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  samples: readonly Sample[];
}

export function formatMetrics(metrics: readonly Metric[]): string {
  return metrics.map(formatMetric).join('');
}

function formatMetric({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ suffix = '', labels, value }) => {
    return `${name}${suffix}${formatLabels(labels)} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function formatLabels(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** What the format has no escape for is written out, and its backslash is one of the value. */
function escapeLabel(value: string): string {
  const lines = value.split('\n').map((line) => printable(line).replace(/[\\"]/g, '\\$&'));
  return lines.join('\\n');
}
