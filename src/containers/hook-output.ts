// SPDX-License-Identifier: Apache-2.0
// What `lensfs hook` says besides the diff. Pure.
import type { Edit } from './edit-host-file.js';

export interface EditNotes {
  isDryRun: boolean;
  /** The command after which the change is in force. */
  reload: string;
  /** How a container gets the view. */
  usage: string | undefined;
  /** Another program that reads the same file. */
  sharedWith: string | undefined;
}

export function formatEdit(
  { path, diff, backup, warnings }: Edit,
  { isDryRun, reload, usage, sharedWith }: EditNotes,
): string {
  const lines = [];
  if (diff === '') lines.push(`Nothing to change in ${path}`);
  else if (isDryRun) lines.push(`${path} would be changed so; nothing was done`);
  else {
    lines.push(`Changed ${path}${backup === undefined ? '' : `, as it was before: ${backup}`}`);
    lines.push(`To put it in force: ${reload}`);
  }
  if (sharedWith !== undefined && diff !== '') {
    lines.push(`${sharedWith} reads the same file: for its containers it is the same change`);
  }
  lines.push(...warnings.map((warning) => `Warning: ${warning}`));
  if (usage !== undefined) lines.push(`Then: ${usage}`);
  return `${lines.join('\n')}\n`;
}
