// SPDX-License-Identifier: Apache-2.0
// The dockerd that runs with a daemon.json: the file that it was told to read, what its command line says already, and
// its containers that name our runtime.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainersError } from './containers-error.js';
import { type DaemonJson, installDocker, readDaemonJson, removeDocker } from './docker-text.js';
import { type HookOptions, type Place, runtimeName } from './hook-options.js';
import { findDaemons, optionOf, type RunningDaemon } from './running-daemon.js';

const usualPath = '/etc/docker/daemon.json';

export async function locateDocker(asked: string): Promise<Place> {
  const { daemon, path } = await findDaemon(asked);
  const args = daemon?.args ?? [];
  return {
    path,
    others: [],
    programsOf: () => [],
    install: async (text, options) => {
      refuseFlags(args, options);
      const fresh = installDocker(text, options, optionOf(args, 'default-runtime'));
      return { text: fresh, programs: [], warnings: [] };
    },
    remove: async (text, original) => {
      const roots = dataRoots(
        args,
        readDaemonJson(text),
        daemon !== undefined || path === usualPath,
      );
      const names = (await Promise.all(roots.map(containersNaming))).flat();
      const after = removeDocker(text, original, names.length > 0);
      if (names.length === 0) return { text: after };
      const warning = `${names.join(', ')} ${names.length === 1 ? 'names' : 'name'} the runtime "${runtimeName}", which stays, without a view, until none does: remove and create such containers anew, and run this again`;
      return { text: after, warnings: [warning], isPart: true };
    },
    reloadOf: (before, after) => {
      // A key that is gone leaves the default as it is.
      const hadDefault = readDaemonJson(before)['default-runtime'] !== undefined;
      const isGone = hadDefault && readDaemonJson(after)['default-runtime'] === undefined;
      return isGone && daemon !== undefined
        ? 'systemctl restart docker'
        : 'systemctl reload docker';
    },
  };
}

/** Of several, the one that reads the file; the usual file is also that of the only one, whatever it was told to read. */
async function findDaemon(
  asked: string,
): Promise<{ daemon: RunningDaemon | undefined; path: string }> {
  const all = await findDaemons('dockerd');
  const fileOf = ({ args }: RunningDaemon) => optionOf(args, 'config-file') ?? usualPath;
  const found = all.find((daemon) => fileOf(daemon) === asked);
  const [only] = all;
  if (found !== undefined || asked !== usualPath || all.length !== 1 || only === undefined) {
    return { daemon: found, path: asked };
  }
  return { daemon: only, path: fileOf(only) };
}

/** dockerd does not start with a setting in both places. @throws ContainersError "unusable" */
function refuseFlags(args: readonly string[], { isDefault }: HookOptions): void {
  const flags = ['add-runtime', ...(isDefault ? ['default-runtime'] : [])];
  for (const flag of flags) {
    const value = optionOf(args, flag);
    if (value === undefined) continue;
    const reason = `dockerd runs with --${flag}=${value}, and does not start with that and a file which says it too`;
    const key = flag === 'add-runtime' ? 'runtimes' : flag;
    const advice = `take it off the command line and put it in the file as "${key}" first`;
    throw new ContainersError('unusable', `${reason}: ${advice}`);
  }
}

/** Where containers' files are; with userns-remap they are in a directory of the mapped ids. */
function dataRoots(args: readonly string[], config: DaemonJson, isUsual: boolean): string[] {
  const told = optionOf(args, 'data-root', 'g', 'graph') ?? config['data-root'];
  const root = told ?? (isUsual ? '/var/lib/docker' : undefined);
  return root === undefined ? [] : [root];
}

async function containersNaming(root: string): Promise<string[]> {
  const mapped = (await namesIn(root)).filter((name) => /^\d+\.\d+$/.test(name));
  const places = [root, ...mapped.map((name) => join(root, name))];
  const found = await Promise.all(
    places.map(async (place) => {
      const directory = join(place, 'containers');
      const ids = await namesIn(directory);
      return await Promise.all(ids.map(async (id) => await nameWhenOurs(join(directory, id))));
    }),
  );
  return found.flat().filter((name) => name !== undefined);
}

async function nameWhenOurs(directory: string): Promise<string | undefined> {
  const { Runtime: runtime } = await readJson(join(directory, 'hostconfig.json'));
  if (runtime !== runtimeName) return undefined;
  const { Name: name } = await readJson(join(directory, 'config.v2.json'));
  return String(name).replace(/^\//, '');
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return {}; // it is being removed
  }
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => []);
}
