// SPDX-License-Identifier: Apache-2.0
// containerd's config.toml, versions 2 (containerd 1.3 to 2.x) and 3 (2.x): the CRI runtime "lensfs".
import { isDeepStrictEqual } from 'node:util';
import { parse, patch } from '@decimalturn/toml-patch';
import { messageOf } from '../errors.js';
import { ContainersError } from './containers-error.js';
import { type HookOptions, type HostFile, runtimeArguments, runtimeName } from './hook-options.js';

type Table = { [key: string]: unknown };

/** The plugin whose runtimes Kubernetes uses, by version of the file. */
const plugins: Record<string, string> = {
  2: 'io.containerd.grpc.v1.cri',
  3: 'io.containerd.cri.v1.runtime',
};

export const containerdConfig: HostFile = {
  path: '/etc/containerd/config.toml',
  install: (text, options) => {
    refuseArguments(options);
    const before = text.trim() === '' ? 'version = 2\n' : text;
    const config = read(before);
    const plugin = pluginOf(config);
    const containerd = tableAt(config, ['plugins', plugin, 'containerd']);
    const runtime = makeRuntime(containerd, options);
    const after = clone(config);
    const section = makeTable(after, ['plugins', plugin, 'containerd']);
    makeTable(section, ['runtimes'])[runtimeName] = runtime;
    if (options.isDefault) section['default_runtime_name'] = runtimeName;
    return write(before, config, after, () => {
      const key = `plugins."${plugin}".containerd`;
      return options.isDefault ? undefined : `${trimEnd(before)}\n${formatRuntime(key, runtime)}`;
    });
  },
  remove: (text, original) => {
    if (text.trim() === '') return text;
    const config = read(text);
    const after = clone(config);
    const path = ['plugins', pluginOf(config), 'containerd'];
    const section = tableAt(after, path);
    const runtimes = tableAt(section, ['runtimes']);
    delete runtimes[runtimeName];
    if (section['default_runtime_name'] === runtimeName) {
      const before = tableAt(original === undefined ? {} : read(original), path);
      const previous = before['default_runtime_name'];
      if (previous === undefined || previous === runtimeName)
        delete section['default_runtime_name'];
      else section['default_runtime_name'] = previous;
    }
    return write(text, config, after, () => undefined);
  },
  reload: 'systemctl restart containerd',
  usage: ({ isDefault }) =>
    isDefault
      ? 'Every pod that is created from now on has its own view'
      : `kubectl apply -f - <<'EOF'
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: ${runtimeName}}
handler: ${runtimeName}
EOF
and "runtimeClassName: ${runtimeName}" in a pod's spec`,
};

/** BinaryName is a path and nothing else. */
function refuseArguments(options: HookOptions): void {
  const [first] = runtimeArguments(options);
  if (first === undefined) return;
  const advice = 'use the usual directories and all files, or "lensfs hook install cdi"';
  throw new ContainersError('unusable', `containerd passes no "${first}" to a runtime: ${advice}`);
}

/** As runc's, so that it has the same cgroup driver. */
function makeRuntime(containerd: Table, { binDir }: HookOptions): Table {
  const runc = tableAt(containerd, ['runtimes', 'runc']);
  const { BinaryName: _, ...options } = tableAt(runc, ['options']);
  return {
    runtime_type: runc['runtime_type'] ?? 'io.containerd.runc.v2',
    options: { BinaryName: `${binDir}/lensfs-runtime`, ...options },
  };
}

function formatRuntime(key: string, { runtime_type, options }: Table): string {
  const lines = Object.entries(options as Table).map(([name, value]) => {
    return `  ${name} = ${typeof value === 'bigint' ? String(value) : JSON.stringify(value)}`;
  });
  return `
[${key}.runtimes.${runtimeName}]
  runtime_type = ${JSON.stringify(runtime_type)}

[${key}.runtimes.${runtimeName}.options]
${lines.join('\n')}
`;
}

/** The plain text when it means the same, since not every reader of TOML takes every way to say a thing. */
function write(before: string, old: Table, after: Table, plain: () => string | undefined): string {
  if (isDeepStrictEqual(clone(old), clone(after))) return before;
  for (const text of [plain(), patch(before, after)]) {
    if (text !== undefined && means(text, after)) return text;
  }
  throw new ContainersError('unusable', 'Cannot be edited without changing more than was meant');
}

function means(text: string, value: Table): boolean {
  try {
    return isDeepStrictEqual(clone(parse(text) as Table), clone(value));
  } catch {
    return false;
  }
}

function read(text: string): Table {
  try {
    return parse(text) as Table;
  } catch (error) {
    throw new ContainersError('unusable', `Not valid TOML: ${messageOf(error)}`, error);
  }
}

function pluginOf(config: Table): string {
  const version = String(config['version'] ?? 1);
  const plugin = plugins[version];
  if (plugin !== undefined) return plugin;
  const advice = 'run "containerd config migrate"';
  throw new ContainersError('unusable', `Expected version 2 or 3, got ${version}: ${advice}`);
}

/** The table at a path, or an empty one that is in nothing. */
function tableAt(table: Table, [first, ...rest]: readonly string[]): Table {
  if (first === undefined) return table;
  const inner = table[first];
  return isTable(inner) ? tableAt(inner, rest) : {};
}

/** The same, made when it is not there. */
function makeTable(table: Table, [first, ...rest]: readonly string[]): Table {
  if (first === undefined) return table;
  const inner = isTable(table[first]) ? table[first] : {};
  table[first] = inner;
  return makeTable(inner, rest);
}

function isTable(value: unknown): value is Table {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function clone(table: Table): Table {
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => [key, isTable(value) ? clone(value) : value]),
  );
}

function trimEnd(text: string): string {
  return `${text.trimEnd()}\n`;
}
