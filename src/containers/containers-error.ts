// SPDX-License-Identifier: Apache-2.0
import { LensfsError } from '../errors.js';

/**
 * Containers, or the configuration of what runs them; `code` is "not_found", "ambiguous", "unreadable", "unusable" or
 * "write_failed".
 */
export class ContainersError extends LensfsError {
  override readonly name = 'ContainersError';
}
