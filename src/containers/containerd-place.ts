// SPDX-License-Identifier: Apache-2.0
// containerd's configuration as containerd itself makes it of its files: our edit goes where it is in force, and is
// refused when anything else would not be as before.
import { type ConfigFile, dumpConfig, isCriDisabled, readConfigFiles } from './containerd-files.js';
import {
  findSection,
  hasPlugin,
  refuseOverride,
  runtimesIn,
  sectionPath,
} from './containerd-runtimes.js';
import {
  type Installed,
  installContainerd,
  programsNamedIn,
  removeContainerd,
  startOf,
} from './containerd-text.js';
import { ContainersError } from './containers-error.js';
import { type Place, runtimeName } from './hook-options.js';
import { findDaemons, optionOf } from './running-daemon.js';
import { clone, differences, readToml, type Table, tableAt, withoutZeros } from './toml-table.js';

const usualPath = '/etc/containerd/config.toml';
const usualSocket = '/run/containerd/containerd.sock';

/** @throws ContainersError "unreadable" or "unusable" */
export async function locateContainerd(main: string): Promise<Place> {
  const program = await programOf(main);
  const read = await readConfigFiles(program, main);
  const files = read.map((file) => ({ ...file, text: startOf(file.text) }));
  const version = String(readToml(files[0]?.text ?? '')['version'] ?? 1);
  // Of a plugin that several files have, older versions take the last one's settings and no others.
  const withPlugin = files.findLast(({ text }) => hasPlugin(readToml(text), version));
  const path = (withPlugin ?? files[0])?.path ?? main;
  const others = files
    .filter((file) => file.path !== path && findSection(readToml(file.text)) !== undefined)
    .map((file) => file.path);
  const clean = files.map((file) =>
    others.includes(file.path) ? { ...file, text: removeContainerd(file.text, undefined) } : file,
  );
  const dump = async (text: string) => await dumpConfig(program, put(clean, path, text));
  return {
    path,
    others,
    programsOf: programsNamedIn,
    socket: socketOf(files),
    install: async (text, options) => {
      const before = startOf(text);
      const old = await dump(before);
      if (options.isDefault) refuseOverride(old ?? readToml(before));
      const runtimes = runtimesIn(old ?? readToml(before));
      const installed = installContainerd(before, options, { runtimes, path, version });
      if (old === undefined) {
        const warning = `containerd is not here, so nothing was compared with "containerd config dump"`;
        return { ...installed, warnings: [warning] };
      }
      const fresh = await dump(installed.text);
      if (fresh !== undefined) compare(old, fresh, installed, options.isDefault);
      return {
        ...installed,
        warnings: files.some(({ text }) => isCriDisabled(text)) ? [disabled] : [],
      };
    },
    remove: async (text, original) => {
      const after = removeContainerd(text, original);
      if (after === text || after.trim() === '') return { text: after };
      const [old, fresh] = [await dump(text), await dump(after)];
      if (old !== undefined && fresh !== undefined) refuseLoss(old, fresh);
      return { text: after };
    },
  };
}

const disabled = 'disabled_plugins has the CRI plugin: until it has not, no pod is made here';

/** That of the containerd which runs with the file, or that which people call. */
async function programOf(main: string): Promise<string> {
  const all = await findDaemons('containerd');
  const found = all.find(({ args }) => (optionOf(args, 'config', 'c') ?? usualPath) === main);
  return found?.program ?? 'containerd';
}

function socketOf(files: readonly ConfigFile[]): string {
  const told = files.map(({ text }) => tableAt(readToml(text), ['grpc'])['address']);
  return String(told.findLast((address) => address !== undefined) ?? usualSocket);
}

function put(files: readonly ConfigFile[], path: string, text: string): ConfigFile[] {
  return files.map((file) => (file.path === path ? { ...file, text } : file));
}

/** @throws ContainersError "unusable" when ours is not in force, or anything else is not as before */
function compare(old: Table, fresh: Table, { runtime }: Installed, isDefault: boolean): void {
  const section = tableAt(fresh, sectionPath(fresh));
  const ours = tableAt(section, ['runtimes', runtimeName]);
  const changed = differences(without(old, isDefault), without(fresh, isDefault));
  const missing = differences(runtime, ours).filter((key) => {
    return tableAt({ runtime }, ['runtime'])[key.split('.')[0] ?? ''] !== undefined;
  });
  if (Object.keys(ours).length === 0) missing.splice(0, missing.length, 'all of it');
  if (isDefault && section['default_runtime_name'] !== runtimeName) {
    missing.push('default_runtime_name');
  }
  if (changed.length > 0) {
    throw new ContainersError(
      'unusable',
      `containerd would not keep ${changed.slice(0, 10).join(', ')}`,
    );
  }
  if (missing.length === 0) return;
  const what = `of the runtime "${runtimeName}" containerd would not take ${missing.join(', ')}`;
  const advice =
    'see what it takes by "containerd config default", and write the file as that version';
  throw new ContainersError('unusable', `Not in force: ${what}; ${advice}`);
}

/** The configuration but for what is ours, and for where it was read from. */
function without(config: Table, isDefault: boolean): Table {
  const { imports: _, ...rest } = clone(config);
  const section = tableAt(rest, sectionPath(config));
  delete tableAt(section, ['runtimes'])[runtimeName];
  if (isDefault) delete section['default_runtime_name'];
  return withoutZeros(rest);
}

function refuseLoss(old: Table, fresh: Table): void {
  const { byName, defaultName } = runtimesIn(fresh);
  const names = Object.keys(runtimesIn(old).byName);
  const lost = [...names, defaultName].filter((name) => byName[name] === undefined);
  if (lost.length === 0) return;
  throw new ContainersError('unusable', `containerd would lose the runtime "${lost.join('", "')}"`);
}
