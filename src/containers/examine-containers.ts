// SPDX-License-Identifier: Apache-2.0
// Which containers have their view, and whose files have lost their daemon.

import { messageOf } from '../errors.js';
import { type AttachOutcome, examineView } from '../native/attach.js';
import { NativeError } from '../native/native-error.js';
import { type Finding, fine } from './finding.js';
import { listContainers, type RunningContainer, readChoice } from './running.js';

/** `paths` are all files, such as "proc/meminfo". */
export async function examineContainers(paths: readonly string[]): Promise<Finding[]> {
  return await Promise.all(
    (await listContainers()).map(async (container) => await examineContainer(container, paths)),
  );
}

async function examineContainer(
  container: RunningContainer,
  paths: readonly string[],
): Promise<Finding> {
  const { pid, command, cgroup } = container;
  const state = await readState(pid);
  const subject = `container ${cgroup}`;
  const who = `process ${pid} (${command})`;
  if (typeof state === 'string') {
    const text = `${who}: cannot be looked at: ${state}`;
    return { level: 'fail', subject, text, fix: `lensfs repair ${pid}` };
  }
  const count = state.already.length + state.left.length;
  const [wrong] = state.left;
  if (wrong !== undefined) {
    const text = `${who}: ${state.left.length} of ${count} files are not as they should be: ${wrong.path}: ${wrong.reason}`;
    return { level: 'fail', subject, text, fix: `lensfs repair ${pid}` };
  }
  if (count > 0) return fine(subject, `${who}: ${count} of ${paths.length} files`);
  if ((await readChoice(pid)) === 'off') {
    return fine(subject, `${who}: sees the host, as its LENSFS=off asks for`);
  }
  return { level: 'warn', subject, text: `${who}: sees the host`, fix: `lensfs attach ${pid}` };
}

/** Longer than a daemon takes that is being started again. */
const answerLimitMs = 8_000;

/** What repair would find; as text, why nobody knows. */
async function readState(pid: number): Promise<AttachOutcome | string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('nobody answers for its files'), answerLimitMs);
  });
  try {
    return await Promise.race([examineView(pid), late]);
  } catch (error) {
    if (!(error instanceof NativeError)) throw error;
    if (error.code === 'ESRCH') return { done: [], already: [], left: [] }; // it has ended
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}
