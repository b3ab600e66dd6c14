// SPDX-License-Identifier: Apache-2.0
// The injection as a MutatingAdmissionPolicy: the API server does it by itself. Pure.
//
// It knows what labels say, and no annotation: the API promises policies only an object's name and labels.
import { hostPathRefusingLevels, injectKey, podSecurityKey, runtimeClassName } from '../names.js';
import { foreignKernelNames, mirrorAnnotation, nodeOsLabel } from '../skip.js';
import type { Inputs } from './inputs.js';
import { clusterWide, type KubernetesObject, type Manifest } from './manifest.js';

const name = 'lensfs-inject';

export function policyManifests(inputs: Inputs): Manifest[] {
  const when = inputs.when('policy');
  return [policy(inputs), ...bindings(inputs)].map((object) => ({ when, object }));
}

/** CEL twins of skip.ts, and what only a merge has to be kept from. */
function matchConditions({ fileList, values }: Inputs) {
  const runtimes = `^(?i)(${[...foreignKernelNames, `${runtimeClassName}$`].join('|')})`;
  // A merge would make it ours, and whoever mounts it would find another file there.
  const isOurs = `has(v.hostPath) && v.hostPath.path == ${pathOfFile(`'${values.tree}'`)} && has(v.hostPath.type) && v.hostPath.type == ${typeOfFile}`;
  const conditions = {
    'not-mirror': `!has(object.metadata.annotations) || !('${mirrorAnnotation}' in object.metadata.annotations)`,
    'not-windows': "!has(object.spec.os) || object.spec.os.name != 'windows'",
    'not-windows-node': `!has(object.spec.nodeSelector) || !('${nodeOsLabel}' in object.spec.nodeSelector) || object.spec.nodeSelector['${nodeOsLabel}'] != 'windows'`,
    'not-host-pid': '!has(object.spec.hostPID) || !object.spec.hostPID',
    'not-user-namespace': '!has(object.spec.hostUsers) || object.spec.hostUsers',
    'not-foreign-kernel': `!has(object.spec.runtimeClassName) || !object.spec.runtimeClassName.matches('${runtimes}')`,
    'no-foreign-volume': `!has(object.spec.volumes) || ${fileList}.all(f, object.spec.volumes.all(v, v.name != ${volumeOfFile} || (${isOurs})))`,
  };
  return Object.entries(conditions).map(([condition, expression]) => ({
    name: condition,
    expression,
  }));
}

function policy(inputs: Inputs): KubernetesObject {
  return {
    apiVersion: inputs.values.policy.apiVersion,
    kind: 'MutatingAdmissionPolicy',
    metadata: clusterWide(inputs, name, 'policy'),
    spec: {
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'IfNeeded',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
        ],
        namespaceSelector: {
          matchExpressions: [
            {
              key: 'kubernetes.io/metadata.name',
              operator: 'NotIn',
              values: inputs.excludedNamespaces,
            },
            { key: podSecurityKey, operator: 'NotIn', values: [...hostPathRefusingLevels] },
          ],
        },
        objectSelector: {
          matchExpressions: [{ key: injectKey, operator: 'NotIn', values: ['disabled', 'false'] }],
        },
      },
      matchConditions: matchConditions(inputs),
      variables: [
        { name: 'files', expression: inputs.fileList },
        { name: 'tree', expression: `'${inputs.values.tree}'` },
      ],
      mutations: [
        mutation(
          `Object{spec: Object.spec{volumes: ${volumes}, containers: ${mounts('containers')}}}`,
        ),
        mutation(
          `has(object.spec.initContainers) ? Object{spec: Object.spec{initContainers: ${mounts('initContainers')}}} : Object{}`,
        ),
      ],
    },
  };
}

function mutation(expression: string) {
  return { patchType: 'ApplyConfiguration', applyConfiguration: { expression } };
}

/** CEL twins of files.ts. */
const volumeOfFile = "'lensfs-' + f.replace('/', '-')";
const typeOfFile = "(f.startsWith('proc/') ? 'File' : 'Directory')";
const pathOfFile = (tree: string) => `${tree} + '/' + f`;
const volumes = `variables.files.map(f, Object.spec.volumes{name: ${volumeOfFile}, hostPath: Object.spec.volumes.hostPath{path: ${pathOfFile('variables.tree')}, type: ${typeOfFile}}})`;

/** The containers of a list that get something, each with the mounts that nothing is in the way of. */
function mounts(list: 'containers' | 'initContainers'): string {
  const unmasked =
    "has(c.securityContext) && has(c.securityContext.procMount) && c.securityContext.procMount == 'Unmasked'";
  const target = "('/' + f)";
  const directory = "(m.mountPath.endsWith('/') ? m.mountPath : m.mountPath + '/')";
  const inTheWay = `m.mountPath == ${target} || m.mountPath.startsWith(${target} + '/') || ${target}.startsWith(${directory})`;
  const free = `!has(c.volumeMounts) || !c.volumeMounts.exists(m, ${inTheWay})`;
  const mount = `Object.spec.${list}.volumeMounts{name: ${volumeOfFile}, mountPath: ${target}, readOnly: true, mountPropagation: 'HostToContainer'}`;
  return `object.spec.${list}.filter(c, !(${unmasked})).map(c, Object.spec.${list}{name: c.name, volumeMounts: variables.files.filter(f, ${free}).map(f, ${mount})})`;
}

function bindings(inputs: Inputs): KubernetesObject[] {
  const binding = (suffix: string, matchResources: object) => ({
    apiVersion: inputs.values.policy.apiVersion,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: clusterWide(inputs, `${name}-${suffix}`, 'policy'),
    spec: { policyName: name, matchResources },
  });
  const asks = { matchLabels: { [injectKey]: 'enabled' } };
  const podAsks = {
    matchExpressions: [{ key: injectKey, operator: 'In', values: ['enabled', 'true'] }],
  };
  const silent = { key: injectKey, operator: 'NotIn', values: ['enabled', 'disabled'] };
  return [
    binding('namespaces', { namespaceSelector: asks }),
    binding('pods', { namespaceSelector: { matchExpressions: [silent] }, objectSelector: podAsks }),
  ];
}
