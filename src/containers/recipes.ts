// SPDX-License-Identifier: Apache-2.0
// Flags and files that people paste to give a container the files of the public tree. Pure.
import { mountableByRunc } from '../config/virtual-files.js';
import { cdiKind } from './hook-files.js';

/** For whom `lensfs mounts` writes. */
export const recipeNames = [
  'docker',
  'podman',
  'compose',
  'kubernetes',
  'nspawn',
  'lxc',
  'systemd',
] as const;
export type RecipeName = (typeof recipeNames)[number];

/** The other files of /proc need lensfs-hook. */
const allowedByRunc: ReadonlySet<string> = new Set(mountableByRunc);

interface Bind {
  source: string;
  target: string;
  isDirectory: boolean;
}

export interface RecipeOptions {
  tree: string;
  /** Such as "proc/meminfo". */
  paths: readonly string[];
}

/** The text for one kind of container. */
export function formatRecipe(name: RecipeName, options: RecipeOptions): string {
  return recipes[name](options);
}

const recipes: Record<RecipeName, (options: RecipeOptions) => string> = {
  docker: (options) => formatFlags(binds(options, true), 'ro,rslave'),
  // Podman asks for the flags that its user namespace cannot give up.
  podman: (options) => formatFlags(binds(options, true), 'ro,rslave,nosuid,nodev,noexec'),
  compose: (options) => {
    const entries = binds(options, true).map(
      ({ source, target }) => `  - type: bind
    source: ${source}
    target: ${target}
    read_only: true
    bind: {propagation: rslave, create_host_path: false}
`,
    );
    return `volumes:\n${entries.join('')}`;
  },
  kubernetes: (options) => {
    const all = binds(options, true).map((bind) => ({ ...bind, name: volumeName(bind.target) }));
    const mounts = all.map(({ name, target }) => {
      return `    - {name: ${name}, mountPath: ${target}, readOnly: true, mountPropagation: HostToContainer}\n`;
    });
    const volumes = all.map(({ name, source, isDirectory }) => {
      return `  - {name: ${name}, hostPath: {path: ${source}, type: ${isDirectory ? 'Directory' : 'File'}}}\n`;
    });
    return `spec:
  containers:
  - name: NAME
    volumeMounts:
${mounts.join('')}  volumes:
${volumes.join('')}`;
  },
  nspawn: (options) => {
    const lines = binds(options, false).map(({ source, target }) => {
      return `BindReadOnly=${source}:${target}:norbind\n`;
    });
    return `# /etc/systemd/nspawn/NAME.nspawn\n[Files]\n${lines.join('')}`;
  },
  lxc: (options) => {
    const lines = binds(options, false).map(({ source, target, isDirectory }) => {
      const kind = isDirectory ? 'dir' : 'file';
      const to = target.slice(1);
      return `lxc.mount.entry = ${source} ${to} none bind,ro,nosuid,nodev,noexec,rslave,optional,create=${kind} 0 0\n`;
    });
    return lines.join('');
  },
  systemd: (options) => {
    const lines = binds(options, false).map(({ source, target }) => {
      return `BindReadOnlyPaths=-${source}:${target}\n`;
    });
    return `# /etc/systemd/system/NAME.service.d/lensfs.conf
[Unit]
After=lensfs.service

[Service]
${lines.join('')}`;
  },
};

/** What is given up, for people; "" when nothing is. */
export function describeOmissions(name: RecipeName, { paths }: RecipeOptions): string {
  const hasRunc = ['docker', 'podman', 'compose', 'kubernetes'].includes(name);
  const omitted = hasRunc ? paths.filter((path) => !isMountable(path)) : [];
  if (omitted.length === 0) return '';
  return `Not among them, since runc refuses mounts there: ${omitted.map((path) => `/${path}`).join(', ')}.
With "lensfs hook install" a container gets all: --runtime lensfs, or --device ${cdiKind}=all
`;
}

function binds({ tree, paths }: RecipeOptions, byRunc: boolean): Bind[] {
  return paths
    .filter((path) => !byRunc || isMountable(path))
    .filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
    .map((path) => ({
      source: `${tree}/${path}`,
      target: `/${path}`,
      isDirectory: path === 'sys/devices/system/cpu',
    }));
}

function isMountable(path: string): boolean {
  return allowedByRunc.has(path) || path.startsWith('sys/');
}

function formatFlags(all: readonly Bind[], options: string): string {
  return all
    .map(({ source, target }) => `-v ${source}:${target}:${options} \\\n`)
    .join('')
    .replace(/ \\\n$/, '\n');
}

/** A DNS label. */
function volumeName(target: string): string {
  return `lensfs${target.replaceAll(/[^a-z0-9]+/g, '-')}`;
}
