// SPDX-License-Identifier: Apache-2.0
export const mebibyte = 2 ** 20;
export const kibPerMebibyte = 1024;
