// SPDX-License-Identifier: Apache-2.0
// The webhook's server and everything it needs. Pure.
import { injectorName } from '../names.js';
import { certManagerObjects } from './cert-manager.js';
import type { Inputs } from './inputs.js';
import {
  clusterWide,
  type KubernetesObject,
  type Manifest,
  namespaced,
  restrictedContainer,
  roleAndBinding,
  selectorLabels,
} from './manifest.js';
import { webhookConfiguration } from './webhook-rules.js';

const component = 'webhook';
const port = 8443;
const metricsPort = 9443;
const unprivilegedId = 65_532;
const tlsDir = '/etc/lensfs/tls';
const clientCaDir = '/etc/lensfs/client-ca';
/** The service goes on sending for as long as a change of its endpoints takes. */
const drainMs = 5000;

export function webhookManifests(inputs: Inputs): Manifest[] {
  const { when, namespace, values } = inputs;
  const all = (name: Parameters<typeof when>[0], objects: readonly KubernetesObject[]) =>
    objects.map((object) => ({ when: when(name), object }));
  const annotations = { 'cert-manager.io/inject-ca-from': `${namespace}/${injectorName}` };
  return [
    ...all('webhook', [account(inputs), service(inputs), deployment(inputs)]),
    ...all('selfManaged', [...selfManaged(inputs), webhookConfiguration(inputs, {})]),
    ...all('certManager', [
      ...certManagerObjects(inputs),
      webhookConfiguration(inputs, { annotations }),
    ]),
    ...all('existingSecret', [webhookConfiguration(inputs, { caBundle: values.tls.caBundle })]),
    ...all('disruptionBudget', [disruptionBudget(inputs)]),
    ...all('networkPolicy', [networkPolicy(inputs)]),
    ...all('serviceMonitor', [serviceMonitor(inputs)]),
  ];
}

function account(inputs: Inputs): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: namespaced(inputs, injectorName, component),
    automountServiceAccountToken: false,
  };
}

function service(inputs: Inputs): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: namespaced(inputs, injectorName, component),
    spec: {
      selector: selectorLabels(component),
      ports: [
        { name: 'https', port: 443, targetPort: 'https', protocol: 'TCP' },
        { name: 'metrics', port: metricsPort, targetPort: 'metrics', protocol: 'TCP' },
      ],
    },
  };
}

function deployment(inputs: Inputs): KubernetesObject {
  const { values } = inputs;
  const { webhook } = values;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: namespaced(inputs, injectorName, component),
    spec: {
      replicas: webhook.replicas,
      selector: { matchLabels: selectorLabels(component) },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: selectorLabels(component) },
        spec: {
          serviceAccountName: injectorName,
          automountServiceAccountToken: inputs.mountServiceAccountToken,
          enableServiceLinks: false,
          priorityClassName: webhook.priorityClassName,
          terminationGracePeriodSeconds: 30,
          tolerations: webhook.tolerations,
          nodeSelector: webhook.nodeSelector,
          imagePullSecrets: values.imagePullSecrets,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: unprivilegedId,
            runAsGroup: unprivilegedId,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: selectorLabels(component) },
            },
          ],
          containers: [container(inputs)],
          volumes: [
            { name: 'tls', secret: { secretName: values.tls.secretName, optional: true } },
            ...inputs.itemWhen('clientCa', {
              name: 'client-ca',
              configMap: { name: webhook.clientCaConfigMap },
            }),
          ],
        },
      },
    },
  };
}

function container(inputs: Inputs): KubernetesObject {
  const { values, image, namespace } = inputs;
  return {
    name: 'webhook',
    image,
    imagePullPolicy: values.image.pullPolicy,
    args: [
      'kubernetes',
      'webhook',
      `--port=${port}`,
      `--metrics-port=${metricsPort}`,
      `--tree=${values.tree}`,
      `--files=${inputs.fileNames}`,
      `--foreign-nodes=${inputs.foreignNodes}`,
      `--tls=${inputs.webhookTls}`,
      `--tls-dir=${tlsDir}`,
      `--namespace=${namespace}`,
      `--secret=${values.tls.secretName}`,
      `--drain-ms=${drainMs}`,
      `--log-level=${values.webhook.logLevel}`,
      ...inputs.itemWhen('clientCa', `--client-ca=${clientCaDir}/ca.crt`),
      ...inputs.itemWhen('clientCa', `--client-names=${inputs.clientNames}`),
    ],
    ports: [
      { name: 'https', containerPort: port, protocol: 'TCP' },
      { name: 'metrics', containerPort: metricsPort, protocol: 'TCP' },
    ],
    readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' }, periodSeconds: 2 },
    livenessProbe: {
      httpGet: { path: '/healthz', port: 'metrics' },
      periodSeconds: 10,
      timeoutSeconds: 5,
    },
    startupProbe: {
      httpGet: { path: '/healthz', port: 'metrics' },
      periodSeconds: 2,
      failureThreshold: 30,
    },
    securityContext: restrictedContainer,
    resources: values.webhook.resources,
    volumeMounts: [
      { name: 'tls', mountPath: tlsDir, readOnly: true },
      ...inputs.itemWhen('clientCa', {
        name: 'client-ca',
        mountPath: clientCaDir,
        readOnly: true,
      }),
    ],
  };
}

/** The Secret is here, empty, so that no right to create one is needed. */
function selfManaged(inputs: Inputs): KubernetesObject[] {
  const { namespace, values } = inputs;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: namespaced(inputs, values.tls.secretName, component),
    type: 'Opaque',
  };
  return [
    secret,
    ...roleAndBinding(namespaced(inputs, injectorName, component), namespace, false, [
      {
        apiGroups: [''],
        resources: ['secrets'],
        resourceNames: [values.tls.secretName],
        verbs: ['get', 'update'],
      },
    ]),
    ...roleAndBinding(clusterWide(inputs, injectorName, component), namespace, true, [
      {
        apiGroups: ['admissionregistration.k8s.io'],
        resources: ['mutatingwebhookconfigurations'],
        resourceNames: [injectorName],
        verbs: ['get', 'patch'],
      },
    ]),
  ];
}

function disruptionBudget(inputs: Inputs): KubernetesObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: namespaced(inputs, injectorName, component),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(component) } },
  };
}

/** The API server's address is known to who installs it at the best; without it, its ports must do. */
function networkPolicy(inputs: Inputs): KubernetesObject {
  const tcp = (each: number) => ({ port: each, protocol: 'TCP' });
  const { values } = inputs;
  const toApiServer = inputs.itemForEach(values.webhook.apiServerPorts, tcp);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: namespaced(inputs, injectorName, component),
    spec: {
      podSelector: { matchLabels: selectorLabels(component) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { ports: [tcp(port)], from: values.webhook.reviewsFrom },
        { ports: [tcp(metricsPort)], from: values.webhook.metricsFrom },
      ],
      egress: [{ ports: [{ port: 53, protocol: 'UDP' }, tcp(53), ...toApiServer] }],
    },
  };
}

function serviceMonitor(inputs: Inputs): KubernetesObject {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: namespaced(inputs, injectorName, component),
    spec: {
      selector: { matchLabels: selectorLabels(component) },
      endpoints: [{ port: 'metrics', path: '/metrics', interval: '30s' }],
    },
  };
}
