// SPDX-License-Identifier: Apache-2.0

/**
 * A failure we expect and can explain: its message is one line that says what to do.
 *
 * Each folder derives at most one class from it; `code` is stable and meant for programs.
 */
export class LensfsError extends Error {
  override readonly name: string = 'LensfsError';
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of anything that was thrown, such as "ENOENT"; undefined when it has none. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
