// SPDX-License-Identifier: Apache-2.0
// For vite-node: Node.js 20 does not know "using" yet.
import { defineConfig } from 'vite';

export default defineConfig({ esbuild: { target: 'node20' } });
