// SPDX-License-Identifier: Apache-2.0
// Completion scripts for shells, made from the table of commands. Pure.
import type { Command } from '../command.js';
import { bashScript } from './bash.js';
import { completable } from './completable.js';
import { fishScript } from './fish.js';
import { zshScript } from './zsh.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** The script that a shell is to read. */
export function completionScript(shell: Shell, all: readonly Command[]): string {
  return scripts[shell](all.map(completable));
}
