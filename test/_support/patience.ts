// SPDX-License-Identifier: Apache-2.0

/** How many times longer than on a real machine a test waits before it gives up. */
export const patience = Number(process.env['LENSFS_TEST_PATIENCE'] ?? 1);
