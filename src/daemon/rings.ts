// SPDX-License-Identifier: Apache-2.0
// FUSE over io_uring: the kernel's switch for it, and what is said of a connection that has none.
import { readFileSync, writeFileSync } from 'node:fs';
import type { Config } from '../config/schema.js';
import { messageOf } from '../errors.js';
import { createLogger, type Logger, logMessages } from '../logger.js';
import type { NativeTransport } from '../native/binding.js';

const switchPath = '/sys/module/fuse/parameters/enable_uring';

/** Switches it on where the configuration allows that; must come before the connection is mounted. */
export function enableRings({ transport, ring, log }: Pick<Config, 'transport' | 'ring' | 'log'>) {
  if (transport === 'classic' || !ring.enable_module) return;
  const logger = createLogger(log.level);
  try {
    if (readFileSync(switchPath, 'utf8').startsWith('Y')) return;
    writeFileSync(switchPath, 'Y');
    logger.info({ path: switchPath }, logMessages.ringsEnabled);
  } catch (error) {
    logger.warn({ path: switchPath, reason: messageOf(error) }, logMessages.ringsNotEnabled);
  }
}

type HowReadsCome = Pick<NativeTransport, 'kind' | 'reason'>;

/** For the line that says that lensfs serves: how reads come, and what keeps them from coming through rings. */
export function transportFields({ kind, reason }: HowReadsCome) {
  return { transport: kind, ...(reason !== '' && { transportReason: reason }) };
}

/** Warns where rings were asked for by name and are not there. */
export function warnWithoutRings(
  logger: Logger,
  wanted: Config['transport'],
  { kind, reason }: HowReadsCome,
): void {
  if (wanted !== 'ring' || kind === 'ring') return;
  const why = reason === '' ? 'the connection began without' : reason;
  logger.warn({ reason: why }, logMessages.noRings);
}
