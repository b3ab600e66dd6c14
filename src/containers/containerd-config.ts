// SPDX-License-Identifier: Apache-2.0
// containerd's config.toml, versions 1 (containerd 1.x), 2 (1.3 to 2.x) and 3 (2.x): the CRI runtime "lensfs".
import { locateContainerd } from './containerd-place.js';
import { runtimesIn } from './containerd-runtimes.js';
import { installContainerd, removeContainerd, startOf } from './containerd-text.js';
import { type HostFile, runtimeName } from './hook-options.js';
import { readToml } from './toml-table.js';

const path = '/etc/containerd/config.toml';

export const containerdConfig: HostFile = {
  path,
  at: locateContainerd,
  install: (text, options) => {
    const before = startOf(text);
    const runtimes = runtimesIn(readToml(before));
    return installContainerd(before, options, { runtimes, path }).text;
  },
  remove: removeContainerd,
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
