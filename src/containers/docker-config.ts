// SPDX-License-Identifier: Apache-2.0
// Docker's daemon.json: the runtime "lensfs", and whether it is the default one.
import { locateDocker } from './docker-place.js';
import { installDocker, removeDocker } from './docker-text.js';
import type { HostFile } from './hook-options.js';

export const dockerConfig: HostFile = {
  path: '/etc/docker/daemon.json',
  at: locateDocker,
  install: (text, options) => installDocker(text, options),
  remove: (text, original) => removeDocker(text, original),
  reload: 'systemctl reload docker',
  usage: ({ isDefault }) =>
    isDefault
      ? 'Every container that Docker creates from now on has its own view'
      : 'docker run --runtime lensfs ...',
};
