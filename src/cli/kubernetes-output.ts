// SPDX-License-Identifier: Apache-2.0
// Values of the commands about Kubernetes -> text for people. Pure.

import type { Finding } from '../kubernetes/scan.js';
import { printable } from '../printable.js';

const words = {
  has: 'has the view',
  gets: 'gets the view',
  none: 'no view',
  unreadable: 'cannot be read',
} as const;

/** `lensfs kubernetes scan`: a line for each object, its warnings below it, and the sums. */
export function formatFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'No pods and no workloads\n';
  const lines = findings.flatMap(
    ({ kind, namespace, name, verdict, containers, reason, warnings }) => {
      const where = containers.length > 0 ? ` in ${containers.join(', ')}` : '';
      const why = reason === undefined ? '' : `: ${reason}`;
      const said = (reason ?? '').replace(/^except /, '');
      const hints = warnings.filter((warning) => said === '' || !warning.includes(said));
      return [
        `${kind} ${namespace}/${name}: ${words[verdict]}${where}${why}`,
        ...hints.map((hint) => `  ${hint.replace(/^lensfs: /, '')}`),
      ].map(printable);
    },
  );
  const count = (verdict: Finding['verdict']) =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const sums = `${count('has')} with the view, ${count('gets')} that would get it, ${count('none')} without`;
  const unreadable = count('unreadable');
  const more = unreadable === 0 ? '' : `, ${unreadable} that cannot be read`;
  return `${lines.join('\n')}\n${sums}${more}\n`;
}
