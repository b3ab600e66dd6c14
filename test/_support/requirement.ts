// SPDX-License-Identifier: Apache-2.0

/** Something a test needs of the machine; `missing` says what to do when it is not there. */
export interface Requirement {
  met: () => boolean;
  missing: string;
}
