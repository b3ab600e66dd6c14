// SPDX-License-Identifier: Apache-2.0
// Which containers have their view, and whose files have lost their daemon.
import { type Finding, fine } from './finding.js';
import { listContainers, type RunningContainer, readChoice, readViewState } from './running.js';

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
  const { attached, stale } = await readViewState(container, paths);
  const { pid, command, cgroup } = container;
  const subject = `container ${cgroup}`;
  const who = `process ${pid} (${command})`;
  if (stale.length > 0) {
    const text = `${who}: ${stale.length} of ${attached.length} files have a dead daemon`;
    return { level: 'fail', subject, text, fix: `lensfs repair ${pid}` };
  }
  if (attached.length > 0) {
    return fine(subject, `${who}: ${attached.length} of ${paths.length} files`);
  }
  if ((await readChoice(pid)) === 'off') {
    return fine(subject, `${who}: sees the host, as its LENSFS=off asks for`);
  }
  return { level: 'warn', subject, text: `${who}: sees the host`, fix: `lensfs attach ${pid}` };
}
