// SPDX-License-Identifier: Apache-2.0
// What an agent may change of a node, which RBAC cannot say: our label and our taint of the node it runs on. Pure.
import { agentName, nodeReadyLabel } from '../names.js';
import type { Inputs } from './inputs.js';
import { clusterWide, type KubernetesObject } from './manifest.js';

const apiVersion = 'admissionregistration.k8s.io/v1';
const nodeName = 'authentication.kubernetes.io/node-name';

/** What the API server writes itself at each change. */
const serverFields = ['managedFields', 'resourceVersion', 'generation'];

/** A validation that the policy has. */
interface Validation {
  expression: string;
  message: string;
}

export function nodePolicy(inputs: Inputs): KubernetesObject[] {
  const metadata = clusterWide(inputs, agentName, 'agent');
  const account = `system:serviceaccount:${inputs.namespace}:${agentName}`;
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [''],
              apiVersions: ['v1'],
              operations: ['CREATE', 'UPDATE', 'DELETE'],
              resources: ['nodes', 'nodes/*'],
            },
          ],
        },
        matchConditions: [
          { name: 'agent', expression: `request.userInfo.username == '${account}'` },
        ],
        validations: validations(inputs),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: agentName, validationActions: ['Deny'] },
    },
  ];
}

/** Where there is no earlier or later node, the expressions cannot be evaluated, which is a refusal as well. */
function validations({ values }: Inputs): Validation[] {
  const taint = values.node.startupTaint;
  const taints = lists('spec.taints');
  return [
    {
      expression: both(maps('metadata.labels'), (from, to) => {
        return `${from}.all(k, k == '${nodeReadyLabel}' || (k in ${to} && ${to}[k] == ${from}[k]))`;
      }),
      message: `An agent of lensfs may change the label ${nodeReadyLabel} only`,
    },
    {
      expression: `${taints.now}.all(t, ${taints.before}.exists(o, o == t)) && ${taints.before}.all(o, o.key == '${taint}' || ${taints.now}.exists(t, t == o))`,
      message: `An agent of lensfs may take away the taint ${taint} only`,
    },
    {
      expression: `${sameBut('metadata', ['labels', ...serverFields])} && ${sameBut('spec', ['taints'])} && dyn(object.status) == dyn(oldObject.status)`,
      message: 'An agent of lensfs may change one label and one taint only',
    },
    {
      expression:
        "request.operation == 'UPDATE' && (!has(request.subResource) || request.subResource == '')",
      message: 'An agent of lensfs may change nodes only, and nothing below them',
    },
    {
      expression: `has(request.userInfo.extra) && '${nodeName}' in request.userInfo.extra && request.userInfo.extra['${nodeName}'][0] == object.metadata.name`,
      message: 'An agent of lensfs may change its own node only',
    },
  ];
}

interface Sides {
  now: string;
  before: string;
}

const maps = (path: string) => sides(path, '{}');
const lists = (path: string) => sides(path, '[]');

/** A field of `metadata` or `spec` as it is to be and as it is, with a value where it is absent. */
function sides(path: string, absent: string): Sides {
  const side = (root: string) => `(has(${root}.${path}) ? ${root}.${path} : ${absent})`;
  return { now: side('object'), before: side('oldObject') };
}

/** Both directions: nothing is added or changed, and nothing is taken away. */
function both({ now, before }: Sides, rule: (from: string, to: string) => string): string {
  return `${rule(now, before)} && ${rule(before, now)}`;
}

/** All fields of a part but some; `dyn`, since only a map of unknown fields can be gone through. */
function sameBut(part: string, fields: readonly string[]): string {
  const list = `['${fields.join("','")}']`;
  return both({ now: `dyn(object.${part})`, before: `dyn(oldObject.${part})` }, (from, to) => {
    return `${from}.all(k, k in ${list} || (k in ${to} && ${to}[k] == ${from}[k]))`;
  });
}
