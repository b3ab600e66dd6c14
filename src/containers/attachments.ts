// SPDX-License-Identifier: Apache-2.0
// Gives running containers the view, takes it away, renews it.
import { messageOf } from '../errors.js';
import {
  type AttachOutcome,
  attachView,
  detachView,
  repairView,
  type ViewPlaces,
} from '../native/attach.js';
import type { NativeEngine } from '../native/binding.js';
import { NativeError } from '../native/native-error.js';

export interface Target {
  pid: number;
  /** What people call it. */
  name: string;
  /** Different for each container there ever is. */
  key: string;
}

export interface ContainerOutcome extends AttachOutcome, Target {
  /** Why nothing was done. */
  error?: string;
}

export interface Sources {
  engine: NativeEngine;
  tree: string;
  runDir: string;
}

export async function attachContainers(
  targets: readonly Target[],
  sources: Sources,
  files: string,
): Promise<ContainerOutcome[]> {
  return await forEach(targets, async ({ pid }) => {
    return await attachView(pid, placesFor(pid, sources), files);
  });
}

export async function detachContainers(
  targets: readonly Target[],
  files: string,
): Promise<ContainerOutcome[]> {
  return await forEach(targets, async ({ pid }) => await detachView(pid, files));
}

export async function repairContainers(
  targets: readonly Target[],
  sources: Sources,
): Promise<ContainerOutcome[]> {
  return await forEach(targets, async ({ pid }) => await repairView(pid, placesFor(pid, sources)));
}

/** Without a cgroup of its own it gets the files that look who asks. */
function placesFor(pid: number, { engine, tree, runDir }: Sources): ViewPlaces {
  try {
    return { tree, runDir, view: engine.viewId({ pid }), name: engine.viewName({ pid }) };
  } catch (error) {
    if (error instanceof NativeError && error.code === 'no_view') return { tree, runDir };
    throw error;
  }
}

async function forEach(
  targets: readonly Target[],
  work: (target: Target) => Promise<AttachOutcome>,
): Promise<ContainerOutcome[]> {
  const outcomes: ContainerOutcome[] = [];
  for (const target of targets) {
    try {
      outcomes.push({ ...target, ...(await work(target)) });
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      outcomes.push({ ...target, done: [], already: [], left: [], error: explain(target, error) });
    }
  }
  return outcomes;
}

function explain({ pid }: Target, error: NativeError): string {
  switch (error.code) {
    case 'ESRCH':
      return `Process ${pid} has ended`;
    case 'EPERM':
      return `Process ${pid} has the host's own mounts: expected one in a container`;
    case 'EXDEV':
      return `Process ${pid} shows the host's processes: expected a pid namespace and a /proc of its own`;
    default:
      return messageOf(error);
  }
}
