// SPDX-License-Identifier: Apache-2.0
// What `lensfs doctor` finds.

/** "fail" is what keeps containers from their view; "warn" takes a part of it away. */
export type Level = 'ok' | 'warn' | 'fail';

/** One line of the report. */
export interface Finding {
  level: Level;
  /** What was looked at, such as "kernel". */
  subject: string;
  text: string;
  /** A command that mends it; each that is not "ok" has one. */
  fix?: string;
}

/** A finding that is as it should be. */
export function fine(subject: string, text: string): Finding {
  return { level: 'ok', subject, text };
}
