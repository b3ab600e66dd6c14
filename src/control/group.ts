// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { ControlError } from './control-error.js';

/**
 * The number of a group of this host.
 *
 * @throws ControlError "no_group"
 */
export async function groupId(group: string, groupFile = '/etc/group'): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  if (group === 'root') return 0;
  const lines = (await readFile(groupFile, 'utf8')).split('\n');
  const found = lines.map((line) => line.split(':')).find(([name]) => name === group);
  if (found?.[2] !== undefined) return Number(found[2]);
  const message = `control.group: no group "${group}" in ${groupFile}: make it ("groupadd ${group}"), or name another`;
  throw new ControlError('no_group', message);
}
