// SPDX-License-Identifier: Apache-2.0
import { LensfsError } from '../errors.js';

/**
 * A failure on the control socket.
 *
 * `code` is "not_running", "run_dir_in_use", "no_access", "no_answer", "bad_reply", "socket_failed", "no_group" or a code
 * of the daemon's own errors.
 */
export class ControlError extends LensfsError {
  override readonly name = 'ControlError';
}
