// SPDX-License-Identifier: Apache-2.0
// LXC's hook: a file that each container's configuration with "common.conf" includes.
import { join } from 'node:path';
import { type HookOptions, type HostFile, hookFlags } from './hook-options.js';

export const lxcHook: HostFile = {
  path: '/usr/share/lxc/config/common.conf.d/50-lensfs.conf',
  install: (_, options) => `# SPDX-License-Identifier: Apache-2.0
# Gives containers of LXC truthful files in /proc and /sys/devices/system/cpu. Read from
# /usr/share/lxc/config/common.conf.d, or by "lxc.include = FILE" in one container's configuration.
# A container chooses with "lxc.environment = LENSFS=off", or with words such as cpu,memory.
lxc.hook.start-host = ${commandLine(options)}
`,
  remove: () => '',
  elsewhere:
    'give --file /etc/lensfs/lxc.conf, and write "lxc.include = /etc/lensfs/lxc.conf" into the configuration of containers',
  reload: 'nothing',
  usage: ({ isDefault }) =>
    isDefault
      ? 'Every container of LXC that starts from now on has its own view'
      : 'A container asks for it by "lxc.environment = LENSFS=all" in its configuration',
};

/** LXC gives it to a shell. The last word has no quotes, since LXC takes them off both ends of a value. */
function commandLine({ isDefault, files, ...options }: HookOptions): string {
  const program = join(options.binDir, 'lensfs-hook');
  const flags = hookFlags({ ...options, isDefault, files: isDefault ? files : 'off' });
  return [...[program, ...flags].map(quote), 'lxc'].join(' ');
}

function quote(word: string): string {
  return /^[\w./=,:-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
