// SPDX-License-Identifier: Apache-2.0
// What the other end of standard output is.
import type { Io } from './command.js';
import type { TableOptions } from './table.js';

/** Colours and lines that end at the edge are for terminals only. */
export function tableOptionsOf({ stdout }: Io): TableOptions {
  const terminal = stdout as Partial<NodeJS.WriteStream>;
  if (terminal.isTTY !== true) return { colours: false };
  // hasColors() knows NO_COLOR, FORCE_COLOR and TERM.
  return { colours: terminal.hasColors?.() === true, width: terminal.columns };
}
