// SPDX-License-Identifier: Apache-2.0
// From what people call a container to its first process.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { ContainersError } from './containers-error.js';
import { listContainers } from './running.js';

const run = promisify(execFile);
/** An engine that does not answer is not waited for longer. */
const engineLimitMs = 5_000;
/** Shorter ids than this could be anything. */
const idMin = 6;

/** Commands that print the process of a container by its name. */
const engines: [command: string, args: (name: string) => string[]][] = [
  ['docker', (name) => ['inspect', '--type', 'container', '--format', '{{.State.Pid}}', name]],
  ['podman', (name) => ['inspect', '--type', 'container', '--format', '{{.State.Pid}}', name]],
  ['lxc-info', (name) => ['--no-humanize', '--pid', '--name', name]],
];

/** Files that hold the process of a container: runc's, crun's, systemd-nspawn's. */
const stateFiles: [path: (name: string) => string, pattern: RegExp][] = [
  [(name) => `/run/runc/${name}/state.json`, /"init_process_pid":(\d+)/],
  [(name) => `/run/crun/${name}/status`, /"pid":\s*(\d+)/],
  [(name) => `/run/systemd/machines/${name}`, /^LEADER=(\d+)$/m],
];

/**
 * The process that a number, a container's id, the beginning of one, or a name stands for.
 *
 * @throws ContainersError "not_found" or "ambiguous"
 */
export async function findContainer(what: string): Promise<number> {
  if (/^[1-9]\d*$/.test(what)) return Number(what);
  const pid = (await findById(what)) ?? (await findByStateFile(what)) ?? (await findByEngine(what));
  if (pid !== undefined) return pid;
  const expected = 'expected a process id, or the id or name of a running container';
  throw new ContainersError('not_found', `No container "${what}": ${expected}`);
}

/** Every engine puts the id into the name of the cgroup. */
async function findById(id: string): Promise<number | undefined> {
  if (id.length < idMin || !/^[\w.-]+$/.test(id)) return undefined;
  const found = (await listContainers()).filter(({ cgroup }) => {
    const words = cgroup.split(/[/:-]|\.scope|\.slice/);
    return cgroup.split('/').includes(id) || words.some((word) => word.startsWith(id));
  });
  const [first, second] = found;
  if (second === undefined) return first?.pid;
  const cgroups = found.map(({ cgroup }) => cgroup).join(', ');
  throw new ContainersError('ambiguous', `Several containers "${id}": ${cgroups}`);
}

async function findByStateFile(name: string): Promise<number | undefined> {
  if (name.includes('/')) return undefined;
  for (const [path, pattern] of stateFiles) {
    const text = await readFile(path(name), 'utf8').catch(() => '');
    const pid = Number(pattern.exec(text)?.[1] ?? 0);
    if (pid > 0) return pid;
  }
  return undefined;
}

async function findByEngine(name: string): Promise<number | undefined> {
  for (const [command, args] of engines) {
    const options = { timeout: engineLimitMs };
    const { stdout } = await run(command, args(name), options).catch(() => ({ stdout: '' }));
    const pid = Number(stdout.trim());
    if (Number.isInteger(pid) && pid > 0) return pid;
  }
  return undefined;
}
