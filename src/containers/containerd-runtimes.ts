// SPDX-License-Identifier: Apache-2.0
// The runtimes that containerd's CRI plugin knows, and the one that lensfs adds to them. Pure.
import { ContainersError } from './containers-error.js';
import { runtimeName } from './hook-options.js';
import { type Table, tableAt, withoutZeros } from './toml-table.js';

/** The plugin whose runtimes Kubernetes uses, by version of the file. */
const plugins: Record<string, string> = {
  1: 'cri',
  2: 'io.containerd.grpc.v1.cri',
  3: 'io.containerd.cri.v1.runtime',
};

const usualType = 'io.containerd.runc.v2';
/** Shims that run an OCI runtime as a program, whose name is the option BinaryName. */
const programTypes = /^io\.containerd\.runc\.v[12]$/;

export interface Runtimes {
  /** Of the default one; containerd takes runc when it is told nothing. */
  defaultName: string;
  byName: Record<string, Table>;
}

/** The section of the runtimes and of the default's name; `version` is for a file that has none. */
export function sectionPath(config: Table, version = '1'): string[] {
  const found = String(config['version'] ?? version);
  const plugin = plugins[found];
  if (plugin !== undefined) return ['plugins', plugin, 'containerd'];
  throw new ContainersError('unusable', `Expected version 1, 2 or 3, got ${found}`);
}

/** The section that has our runtime; undefined when none has. */
export function findSection(config: Table): string[] | undefined {
  const paths = Object.values(plugins).map((plugin) => ['plugins', plugin, 'containerd']);
  return paths.find((path) => tableAt(config, [...path, 'runtimes'])[runtimeName] !== undefined);
}

/** Whether it has any setting of the plugin. */
export function hasPlugin(config: Table, version: string | undefined): boolean {
  return Object.keys(tableAt(config, sectionPath(config, version).slice(0, 2))).length > 0;
}

/** What containerd has without our runtime; `config` is what it prints, or its file when it is not there to be asked. */
export function runtimesIn(config: Table): Runtimes {
  const section = tableAt(config, sectionPath(config));
  const listed: Table = tableAt(section, ['runtimes']);
  const known: Table = { runc: { runtime_type: usualType } };
  const { [runtimeName]: _, ...byName } = section['runtimes'] === undefined ? known : listed;
  const defaultName = section['default_runtime_name'] || 'runc';
  return { defaultName: String(defaultName), byName: byName as Record<string, Table> };
}

/** What is to run pods: the runtime whose section ours is a copy of. */
export interface Former {
  name: string;
  section: Table;
  /** The program that it runs; undefined for runc or crun as they are found. */
  program: string | undefined;
}

/**
 * The default runtime, which ours stands in front of.
 *
 * @throws ContainersError "unusable" when it is to be the default and cannot stand in front of that of before
 */
export function formerOf({ defaultName, byName }: Runtimes, isDefault: boolean): Former {
  const found = byName[defaultName];
  if (found !== undefined && isProgram(found)) return toFormer(defaultName, found);
  if (isDefault && found !== undefined) {
    const type = JSON.stringify(found['runtime_type']);
    const reason = `the default runtime "${defaultName}" is of type ${type}, which runs no program of another's choice`;
    const advice = 'without --default, pods have their view by "runtimeClassName: lensfs"';
    throw new ContainersError('unusable', `Cannot be kept: ${reason}; ${advice}`);
  }
  const { runc } = byName;
  if (runc !== undefined && isProgram(runc)) return toFormer('runc', runc);
  return { name: 'runc', section: { runtime_type: usualType }, program: undefined };
}

/** Settings of old, which win over the name of the default runtime. @throws ContainersError "unusable" */
export function refuseOverride(config: Table): void {
  const section = tableAt(config, sectionPath(config));
  const { runtime_type: type } = tableAt(section, ['default_runtime']);
  if (type === undefined || type === '') return;
  const reason = `containerd.default_runtime (type ${JSON.stringify(type)}) is what runs pods, whatever default_runtime_name is`;
  const advice = 'move it to containerd.runtimes and name it there first';
  throw new ContainersError('unusable', `Cannot be kept: ${reason}; ${advice}`);
}

function isProgram({ runtime_type: type, runtime_path: shim }: Table): boolean {
  const name =
    String(shim || 'containerd-shim-runc-v2')
      .split('/')
      .at(-1) ?? '';
  return programTypes.test(String(type)) && name.startsWith('containerd-shim-runc-');
}

function toFormer(name: string, table: Table): Former {
  const section = withoutZeros(table);
  const program = tableAt(section, ['options'])['BinaryName'];
  return { name, section, program: program === undefined ? undefined : String(program) };
}
