// SPDX-License-Identifier: Apache-2.0
// What vitest finds in a worker of its own, for tests that @vitest/runner runs without one. Imported
// before vitest.
import { patience } from '../_support/patience.js';

const state = {
  filepath: '',
  environment: { name: 'node' },
  config: { expect: { poll: { timeout: 10_000 * patience, interval: 20 } } },
  providedContext: {},
};

Object.assign(globalThis, { __vitest_worker__: state });
