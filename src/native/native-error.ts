// SPDX-License-Identifier: Apache-2.0
import { codeOf, LensfsError, messageOf } from '../errors.js';

/**
 * A failure of the addon, with a JavaScript stack.
 *
 * `code` is the errno's name ("ENOENT"), or "addon_missing" or "addon_broken" when the addon itself cannot be
 * loaded, or "no_view" for what has none; `errno`, `syscall` and `path` are as on Node's own errors.
 */
export class NativeError extends LensfsError {
  override readonly name = 'NativeError';
  readonly errno: number | undefined;
  readonly syscall: string | undefined;
  readonly path: string | undefined;

  constructor(code: string, message: string, cause?: unknown) {
    super(code, message, cause);
    const details = (typeof cause === 'object' && cause !== null ? cause : {}) as {
      errno?: number;
      syscall?: string;
      path?: string;
    };
    this.errno = details.errno;
    this.syscall = details.syscall;
    this.path = details.path;
  }
}

/**
 * Calls into the addon.
 *
 * @throws NativeError with the errno's name as its code
 */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toNativeError(error);
  }
}

/** The same for a call that answers with a promise. */
export async function awaitNative<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toNativeError(error);
  }
}

function toNativeError(error: unknown): NativeError {
  return new NativeError(codeOf(error) ?? 'unknown', messageOf(error), error);
}
