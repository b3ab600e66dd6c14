// SPDX-License-Identifier: Apache-2.0
import { LensfsError } from '../errors.js';

/**
 * Why something about a cluster cannot be done.
 *
 * `code` is "listen_failed", "no_certificate", "api_unreachable", "api_refused", "invalid_values" or "unreadable".
 */
export class KubernetesError extends LensfsError {
  override readonly name = 'KubernetesError';
}
