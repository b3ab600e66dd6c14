// SPDX-License-Identifier: Apache-2.0
// What `lensfs doctor` prints. Pure.
import { printable } from '../printable.js';
import type { Finding } from './finding.js';

export function formatFindings(findings: readonly Finding[]): string {
  const lines = findings.map(({ level, subject, text, fix }) => {
    const line = `${level.padEnd(4)}  ${printable(subject)}: ${printable(text)}\n`;
    return fix === undefined ? line : `${line}        fix: ${printable(fix)}\n`;
  });
  const count = (level: Finding['level']) => {
    return `${findings.filter((finding) => finding.level === level).length} ${level}`;
  };
  return `${lines.join('')}${[count('ok'), count('warn'), count('fail')].join(', ')}\n`;
}
