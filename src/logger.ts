// SPDX-License-Identifier: Apache-2.0
import {
  type DestinationStream,
  destination,
  type Logger,
  pino,
  stdSerializers,
  stdTimeFunctions,
  symbols,
} from 'pino';
import { type LogLevel, levelNumber } from './log-levels.js';
import { escapeJson } from './printable.js';

export type { Logger };

/** Every message of the TypeScript side, so that each can be searched for in one place. */
export const logMessages = {
  serving: 'Serving',
  servingAgain: 'Serving again',
  takingOver: 'Taking over from a keeper that is dead',
  replacing: 'Taking over from a keeper that runs',
  noOwnLimit: 'Cannot give the own cgroup a limit of the container, ignoring',
  orphaned: 'The keeper is dead, serving on: start lensfs again',
  adopted: 'Another keeper has taken over',
  reloaded: 'Configuration reloaded',
  reloadRefused: 'Configuration is wrong, keeping the old one',
  lastGood: 'Configuration is wrong, starting with the last good one',
  notRemembered: 'Cannot remember the configuration for a start with a wrong one, ignoring',
  needsRestart: 'Changed, but takes effect only after a restart',
  fallback: 'Readers did not get their own values',
  quarantined:
    'A worker crashed or hung while it read this cgroup, its readers get the answer of on_failure for now',
  noIds:
    'Cgroups are found by name and process only: open_by_handle_at is refused, as by the seccomp filter of a container',
  noRings: 'Reads come without FUSE over io_uring',
  ringsEnabled: 'FUSE over io_uring switched on in the kernel',
  ringsNotEnabled: 'Cannot switch on FUSE over io_uring, ignoring',
  noMetricsListener: 'Cannot listen on metrics.listen, ignoring',
  request: 'Request on the control socket',
  requestFailed: 'Request failed',
  internalError: 'Internal error',
  reviewed: 'Reviewed',
  reviewFailed: 'Cannot review an object, allowing it unchanged',
  certificateInUse: 'Certificate in use',
  certificateFailed: 'Cannot read or renew the certificate, keeping the one in use',
  draining: 'Not ready any more, finishing what has begun',
  nodeReady: 'Node marked as ready',
  nodeNotReady: 'Node marked as not ready',
  nodeFailed: 'Cannot mark the node, trying again',
} as const;

/** What journald calls the levels, in their order (sd-daemon(3)). */
const journalPriorities = [7, 7, 6, 4, 3, 2];

/**
 * One JSON object a line on standard error, after its priority when that is journald's.
 *
 * Written synchronously: a line is on its way before the next statement runs, so none is lost when
 * the process dies.
 */
export function createLogger(level: LogLevel, isJournal = false): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      // Messages tell their cause themselves: pino's own serializer would append it once more.
      serializers: { err: stdSerializers.errWithCause },
      formatters: { level: (label) => ({ level: label }) },
    },
    toStderr(isJournal),
  );
}

function toStderr(isJournal: boolean): DestinationStream {
  const stderr = destination({ dest: 2, sync: true });
  return {
    [symbols.needsMetadataGsym]: true,
    lastLevel: levelNumber('info'),
    write(line: string) {
      const priority = isJournal ? `<${journalPriorities[this.lastLevel / 10 - 1]}>` : '';
      stderr.write(priority + escapeJson(line));
    },
  } as DestinationStream & { lastLevel: number };
}
