// SPDX-License-Identifier: Apache-2.0
// `runtimeClassName: lensfs`: the node's container runtime calls lensfs-runtime, which needs no volume in the pod. Pure.
import { runtimeClassName } from '../names.js';
import type { Inputs } from './inputs.js';
import { clusterWide, type Manifest } from './manifest.js';

export function runtimeClassManifests(inputs: Inputs): Manifest[] {
  const { handler, nodeSelector } = inputs.values.runtimeClass;
  return [
    {
      when: inputs.when('runtimeClass'),
      object: {
        apiVersion: 'node.k8s.io/v1',
        kind: 'RuntimeClass',
        metadata: clusterWide(inputs, runtimeClassName, 'runtime-class'),
        handler,
        scheduling: { nodeSelector },
      },
    },
  ];
}
