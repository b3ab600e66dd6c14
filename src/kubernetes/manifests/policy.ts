// SPDX-License-Identifier: Apache-2.0
// The injection as a MutatingAdmissionPolicy: the API server does it by itself. Pure.
//
// It knows what labels say, and no annotation: the API promises policies only an object's name and labels.
import { hostPathRefusingLevels, injectKey, podSecurityKey, runtimeClassName } from '../names.js';
import { fargate, foreignKernelNames, mirrorAnnotation, wasmNames } from '../skip.js';
import type { Inputs } from './inputs.js';
import { clusterWide, type KubernetesObject, type Manifest } from './manifest.js';

/** Pods that are created, and what is added to those that run. */
const names = { pods: 'lensfs-inject', ephemeral: 'lensfs-inject-ephemeral' };

export function policyManifests(inputs: Inputs): Manifest[] {
  const when = inputs.when('policy');
  const policies = [podPolicy(inputs), ephemeralPolicy(inputs)];
  const bindings = Object.values(names).flatMap((name) => bindingsOf(name, inputs));
  return [...policies, ...bindings].map((object) => ({ when, object }));
}

function podPolicy(inputs: Inputs): KubernetesObject {
  const { fileList, values } = inputs;
  // A merge would make it ours, and whoever mounts it would find another file there.
  const noForeignVolume = `!has(object.spec.volumes) || ${fileList}.all(f, object.spec.volumes.all(v, v.name != ${volumeOfFile} || (${isOurs(`'${values.tree}'`)})))`;
  return policy(inputs, names.pods, {
    rule: { operations: ['CREATE'], resources: ['pods'] },
    conditions: { ...notSkipped(inputs), 'no-foreign-volume': noForeignVolume },
    mutations: [
      `Object{spec: Object.spec{volumes: ${volumes}, containers: ${mounts('containers')}}}`,
      `has(object.spec.initContainers) ? Object{spec: Object.spec{initContainers: ${mounts('initContainers')}}} : Object{}`,
    ],
  });
}

/** They take mounts of the volumes that their pod was created with, and the earlier ones of them no change at all. */
function ephemeralPolicy(inputs: Inputs): KubernetesObject {
  const isNew =
    '(!has(oldObject.spec.ephemeralContainers) || !oldObject.spec.ephemeralContainers.exists(o, o.name == c.name))';
  const hasVolume = `object.spec.volumes.exists(v, v.name == ${volumeOfFile} && ${isOurs('variables.tree')})`;
  const added = mounts('ephemeralContainers', { container: isNew, file: hasVolume });
  return policy(inputs, names.ephemeral, {
    rule: { operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'] },
    conditions: notSkipped(inputs),
    mutations: [
      `has(object.spec.ephemeralContainers) && has(object.spec.volumes) ? Object{spec: Object.spec{ephemeralContainers: ${added}}} : Object{}`,
    ],
  });
}

const runtimes = `^(?i)(${[...foreignKernelNames, ...wasmNames, `${runtimeClassName}$`].join('|')})`;

const required = 'requiredDuringSchedulingIgnoredDuringExecution';

/** CEL twins of skip.ts. */
const notSkipped = ({ foreignNodeList }: Inputs) => ({
  'not-mirror': `!has(object.metadata.annotations) || !('${mirrorAnnotation}' in object.metadata.annotations)`,
  'not-windows': "!has(object.spec.os) || object.spec.os.name != 'windows'",
  'not-foreign-node': `!has(object.spec.nodeSelector) || !object.spec.nodeSelector.exists(k, (k + '=' + object.spec.nodeSelector[k]) in ${foreignNodeList})`,
  'not-foreign-nodes': `!has(object.spec.affinity) || !has(object.spec.affinity.nodeAffinity) || !has(object.spec.affinity.nodeAffinity.${required}) || !object.spec.affinity.nodeAffinity.${required}.nodeSelectorTerms.all(t, has(t.matchExpressions) && t.matchExpressions.exists(e, e.operator == 'In' && e.values.all(v, (e.key + '=' + v) in ${foreignNodeList})))`,
  'not-fargate': `(!has(object.metadata.labels) || !('${fargate.label}' in object.metadata.labels)) && (!has(object.spec.schedulerName) || object.spec.schedulerName != '${fargate.scheduler}')`,
  'not-host-pid': '!has(object.spec.hostPID) || !object.spec.hostPID',
  'not-user-namespace': '!has(object.spec.hostUsers) || object.spec.hostUsers',
  'not-foreign-kernel': `!has(object.spec.runtimeClassName) || !object.spec.runtimeClassName.matches('${runtimes}')`,
});

interface PolicyParts {
  rule: { operations: string[]; resources: string[] };
  /** By name. */
  conditions: Record<string, string>;
  mutations: string[];
}

function policy(
  inputs: Inputs,
  name: string,
  { rule, conditions, mutations }: PolicyParts,
): KubernetesObject {
  return {
    apiVersion: inputs.values.policy.apiVersion,
    kind: 'MutatingAdmissionPolicy',
    metadata: clusterWide(inputs, name, 'policy'),
    spec: {
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'IfNeeded',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], ...rule }],
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
      matchConditions: Object.entries(conditions).map(([condition, expression]) => ({
        name: condition,
        expression,
      })),
      variables: [
        { name: 'files', expression: inputs.fileList },
        { name: 'tree', expression: `'${inputs.values.tree}'` },
      ],
      mutations: mutations.map(mutation),
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
/** Whether the volume `v` is what we would make of the file. */
const isOurs = (tree: string) =>
  `has(v.hostPath) && v.hostPath.path == ${pathOfFile(tree)} && has(v.hostPath.type) && v.hostPath.type == ${typeOfFile}`;
const volumes = `variables.files.map(f, Object.spec.volumes{name: ${volumeOfFile}, hostPath: Object.spec.volumes.hostPath{path: ${pathOfFile('variables.tree')}, type: ${typeOfFile}}})`;

/**
 * The containers of a list that get something, each with the mounts that nothing is in the way of; `only` says which
 * containers `c` and which files `f` come into question.
 */
function mounts(
  list: 'containers' | 'initContainers' | 'ephemeralContainers',
  only?: { container: string; file: string },
): string {
  const unmasked =
    "has(c.securityContext) && has(c.securityContext.procMount) && c.securityContext.procMount == 'Unmasked'";
  const target = "('/' + f)";
  const directory = "(m.mountPath.endsWith('/') ? m.mountPath : m.mountPath + '/')";
  const inTheWay = `m.mountPath == ${target} || m.mountPath.startsWith(${target} + '/') || ${target}.startsWith(${directory})`;
  const free = `!has(c.volumeMounts) || !c.volumeMounts.exists(m, ${inTheWay})`;
  const mount = `Object.spec.${list}.volumeMounts{name: ${volumeOfFile}, mountPath: ${target}, readOnly: true, mountPropagation: 'HostToContainer'}`;
  return `object.spec.${list}.filter(c, ${both(only?.container, `!(${unmasked})`)}).map(c, Object.spec.${list}{name: c.name, volumeMounts: variables.files.filter(f, ${both(only?.file, free)}).map(f, ${mount})})`;
}

function both(first: string | undefined, second: string): string {
  return first === undefined ? second : `${first} && (${second})`;
}

function bindingsOf(name: string, inputs: Inputs): KubernetesObject[] {
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
