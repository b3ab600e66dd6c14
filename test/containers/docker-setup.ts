// SPDX-License-Identifier: Apache-2.0
// Starts one private Docker daemon for all tests of containers, and stops it after them.
import { accessSync, constants } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { busybox } from '../_support/container-root.js';
import {
  type DockerEndpoint,
  dockerClient,
  dockerDaemon,
  PrivateDocker,
} from '../_support/dockerd.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where Docker is, or why there is none. */
    docker: DockerEndpoint | string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    project.provide('docker', missing);
    return async () => {};
  }
  const docker = await PrivateDocker.start();
  project.provide('docker', docker.endpoint);
  return async () => await docker[Symbol.asyncDispose]();
}

// Not with requirements.ts: what it imports of vitest works only inside a test.
function whatIsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = [dockerDaemon, dockerClient, busybox].find((path) => !isExecutable(path));
  return missing && `needs ${missing}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
