// SPDX-License-Identifier: Apache-2.0
// Files that are lensfs's own: a CDI specification, and hooks for Podman and CRI-O.
import { join } from 'node:path';
import { type HookOptions, type HostFile, hookArguments } from './hook-options.js';

/** In seconds; the hook gives up by itself well before. */
const timeout = 30;

/** The kind of the CDI devices: `--device lensfs.io/view=all`. */
export const cdiKind = 'lensfs.io/view';

/** Container annotation with the words for the files: all, off, cpu,memory. */
export const viewAnnotation = 'lensfs.io/view';

function hookOf(options: HookOptions) {
  return { path: join(options.binDir, 'lensfs-hook'), args: hookArguments(options), timeout };
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** The lowest version that podman and containerd take for hooks. */
const cdiVersion = '0.3.0';

export const cdiSpec: HostFile = {
  path: '/etc/cdi/lensfs.json',
  install: (_, options) => {
    const devices = ['all', 'cpu', 'memory'].map((name) => {
      const files = name === 'all' ? options.files : name;
      const hook = { hookName: 'createRuntime', ...hookOf({ ...options, files }) };
      return { name, containerEdits: { hooks: [hook] } };
    });
    return toText({ cdiVersion, kind: cdiKind, devices });
  },
  remove: () => '',
  reload:
    'nothing; Docker before 28.2 needs {"features": {"cdi": true}} in daemon.json, and containerd 1.7 enable_cdi = true',
  usage: () => `docker run --device ${cdiKind}=all ...
podman run --device ${cdiKind}=all ...`,
};

// Of both programs; Podman looks into /etc/containers/oci/hooks.d only where it is told to.
const hooksFile = '/usr/share/containers/oci/hooks.d/50-lensfs.json';

function hooksDirectoryFile(program: string, sharedWith: string, reload: string): HostFile {
  return {
    path: hooksFile,
    sharedWith,
    install: (_, options) => {
      const { timeout, ...hook } = hookOf(options);
      const asked = { annotations: { [`^${viewAnnotation.replace('.', '\\.')}$`]: '.+' } };
      return toText({
        version: '1.0.0',
        hook: { ...hook, timeout },
        when: options.isDefault ? { always: true } : asked,
        stages: ['createRuntime'],
      });
    },
    remove: () => '',
    elsewhere: `give --file /etc/containers/oci/hooks.d/50-lensfs.json, and name that directory in hooks_dir (of [engine] in containers.conf for Podman, of [crio.runtime] in crio.conf for CRI-O)`,
    reload,
    usage: ({ isDefault }) =>
      isDefault
        ? `Every container that ${program} creates from now on has its own view`
        : `A container asks for it by its annotation ${viewAnnotation}: all, or words such as cpu,memory`,
  };
}

export const podmanHook = hooksDirectoryFile('Podman', 'CRI-O', 'nothing');
export const crioHook = hooksDirectoryFile('CRI-O', 'Podman', 'systemctl reload crio');
