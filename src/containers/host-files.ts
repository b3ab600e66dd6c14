// SPDX-License-Identifier: Apache-2.0
// The table of what `lensfs hook` can edit.
import { containerdConfig } from './containerd-config.js';
import { dockerConfig } from './docker-config.js';
import { cdiSpec, crioHook, podmanHook } from './hook-files.js';
import type { HostFile } from './hook-options.js';
import { lxcHook } from './lxc-hook.js';

export const hostFiles = {
  docker: dockerConfig,
  podman: podmanHook,
  containerd: containerdConfig,
  crio: crioHook,
  cdi: cdiSpec,
  lxc: lxcHook,
} satisfies Record<string, HostFile>;

export type HostFileName = keyof typeof hostFiles;
