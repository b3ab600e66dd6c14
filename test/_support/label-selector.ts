// SPDX-License-Identifier: Apache-2.0
// Label selectors, as the API server evaluates them.

export type Labels = Readonly<Record<string, string>>;

export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

/** Whether an object with these labels is selected; no selector selects all. */
export function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const label = labels[key];
      const isIn = label !== undefined && values.includes(label);
      if (operator === 'In') return isIn;
      if (operator === 'NotIn') return !isIn;
      throw new Error(`No operator "${operator}"`);
    })
  );
}
