// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { codeOf } from '../errors.js';
import { ControlError } from './control-error.js';

/**
 * The number of a group of this host.
 *
 * @throws ControlError "no_group"
 */
export async function groupId(group: string, groupFile = '/etc/group'): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  if (group === 'root') return 0;
  const lines = (await readGroups(groupFile)).split('\n');
  const found = lines.map((line) => line.split(':')).find(([name]) => name === group);
  if (found?.[2] !== undefined) return Number(found[2]);
  const message = `control.group: no group "${group}" in ${groupFile}: make it ("groupadd ${group}"), or name another`;
  throw new ControlError('no_group', message);
}

async function readGroups(groupFile: string): Promise<string> {
  try {
    return await readFile(groupFile, 'utf8');
  } catch (error) {
    // Images without users have none.
    if (codeOf(error) === 'ENOENT') return '';
    throw new ControlError('no_group', `control.group: cannot read ${groupFile}`, error);
  }
}
