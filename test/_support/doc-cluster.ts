// SPDX-License-Identifier: Apache-2.0
// Runs what a page says about a Kubernetes cluster, where there is none: kubectl and helm read all they are given and
// send nothing.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { toolPath } from './kubernetes-tools.js';
import type { PrivateHost } from './private-host.js';

/** What a cluster would answer to `kubectl get`. */
const clusterObjects = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {lensfs.io/inject: enabled}}}
- apiVersion: v1
  kind: Pod
  metadata: {name: web, namespace: shop}
  spec: {containers: [{name: app, image: nginx}]}
`;

// A changed label makes kubectl read each object; --local keeps it from asking for a cluster.
const kubectl = (real: string) => `#!/bin/sh
set -e
export KUBECONFIG=/dev/null
check() { "${real}" label --local --overwrite --filename=- --output=name "$@"; }
case "$*" in
  'apply -f -') check lensfs.io/read=yes ;;
  'apply -k '*) "${real}" kustomize "$3" | check lensfs.io/read=yes ;;
  'get '*' -o yaml') printf '%s' "$OBJECTS" ;;
  'label namespace '*) printf 'apiVersion: v1\\nkind: Namespace\\nmetadata: {name: %s}\\n' "$3" | check "$4" ;;
  *) echo "kubectl: no cluster to \\"$*\\"" >&2; exit 64 ;;
esac
`;

const helm = (real: string) => `#!/bin/sh
set -e
[ "$1" = install ] || { echo "helm: no cluster to \\"$*\\"" >&2; exit 64; }
shift
exec "${real}" template "$@"
`;

/** Docker would pull an image: the file that it would read is there, and a test of its own reads it. */
const docker = `#!/bin/sh
[ "$1 $2" = 'build --file' ] && [ -f "$3" ] || { echo "docker: no network to \\"$*\\"" >&2; exit 64; }
`;

/** Gives what was printed; a command that fails, fails the test. */
export async function runInCluster(
  host: PrivateHost,
  script: string,
  where: string,
): Promise<string> {
  const bin = host.dir.at('cluster');
  mkdirSync(bin, { recursive: true });
  const programs = { kubectl: kubectl(toolPath('kubectl')), helm: helm(toolPath('helm')), docker };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(`${bin}/${name}`, text);
    chmodSync(`${bin}/${name}`, 0o755);
  }
  const objects = host.dir.at('objects.yaml');
  writeFileSync(objects, clusterObjects);
  const head = `export PATH="${bin}:$PATH" OBJECTS="$(cat ${objects})"\n`;
  const { code, stdout, stderr } = await host.sh(head + script);
  expect(code, `${where}: ${stderr}${stdout}`).toBe(0);
  expect(stderr, where).not.toMatch(/^(error|Error)/m);
  return stdout;
}
