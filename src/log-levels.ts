// SPDX-License-Identifier: Apache-2.0

/** What `log.level` may be, most lines first. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

export type LogLevel = (typeof logLevels)[number];

/** The number that the keeper and the logger know a level by. */
export function levelNumber(level: LogLevel): number {
  return (logLevels.indexOf(level) + 1) * 10;
}
