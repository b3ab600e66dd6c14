// SPDX-License-Identifier: Apache-2.0
// `profiles` of the configuration -> rules of the data plane, which knows containers by their cgroups only. Pure.
import type { Profile } from '../config/schema.js';
import type { NativeRule } from '../native/binding.js';
import type { ContainerName } from './container-names.js';

/** A container that a runtime has a name for. */
export interface NamedContainer extends ContainerName {
  id: string;
}

/** Rules in the order of the profiles; those of a name or label are for the containers that are there now. */
export function compileRules(
  profiles: readonly Profile[],
  containers: readonly NamedContainer[],
): NativeRule[] {
  return profiles.flatMap((profile) => {
    const { cgroup = '*', name, label } = profile.match;
    const values: Omit<NativeRule, 'cgroup'> = {
      freshnessUsec: profile.freshness?.usec,
      cpuCount: profile.cpu?.count,
      cpuNumbering: profile.cpu?.numbering,
      swap: profile.swap,
      files: profile.files,
    };
    if (name === undefined && label === undefined) return [{ ...values, cgroup }];
    const rules = containers
      .filter((container) => name === undefined || matchesPattern(container.name, name))
      .filter((container) => label === undefined || hasLabel(container, label))
      .map(({ id }) => ({ ...values, cgroup, containerId: id }));
    // LXC's containers have their name in the path, and no labels.
    if (name === undefined || label !== undefined || profile.match.cgroup !== undefined)
      return rules;
    return [
      ...rules,
      { ...values, cgroup: `/lxc/${name}` },
      { ...values, cgroup: `/lxc.payload[./]${name}` },
    ];
  });
}

/** Whether somebody must watch for containers at all. */
export function needsNames(profiles: readonly Profile[]): boolean {
  return profiles.some(({ match }) => match.name !== undefined || match.label !== undefined);
}

function hasLabel({ labels }: NamedContainer, wanted: string): boolean {
  const separator = wanted.indexOf('=');
  if (separator < 0) return labels[wanted] !== undefined;
  const value = labels[wanted.slice(0, separator)];
  return value !== undefined && matchesPattern(value, wanted.slice(separator + 1));
}

/** "*" stands for any text, "?" for any character. */
function matchesPattern(text: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
