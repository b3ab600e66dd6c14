// SPDX-License-Identifier: Apache-2.0
// What commands that ask a running daemon have in common.
import { printableJson } from '../printable.js';
import { type Arguments, exitCodes, type Io, type Option } from './command.js';
import { configOption, findSocket, runDirOption } from './config-options.js';
import { formatProblems } from './output.js';

export const jsonOption: Option = { type: 'boolean', help: 'print JSON' };

/** Options of every such command. */
export const clientOptions = { config: configOption, 'run-dir': runDirOption };

/** Calls `use` with the daemon's socket; a wrong configuration is told instead. */
export async function withSocket(
  args: Arguments,
  io: Io,
  use: (socketPath: string) => Promise<void>,
): Promise<number> {
  const found = await findSocket(args);
  if (!found.ok) {
    io.stderr.write(formatProblems(found.problems));
    return exitCodes.usage;
  }
  await use(found.socketPath);
  return exitCodes.ok;
}

export function formatJson(value: unknown): string {
  return `${printableJson(value, 2)}\n`;
}
