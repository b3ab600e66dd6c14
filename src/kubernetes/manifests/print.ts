// SPDX-License-Identifier: Apache-2.0
import { knownInputs } from './inputs.js';
import { parseValues, type ValueSources } from './parse-values.js';
import { buildObjects, namespaceObject, toYaml } from './render.js';

/** What `kubectl apply` takes; @throws KubernetesError "invalid_values". */
export function printManifests(
  sources: ValueSources,
  namespace: string,
  version: string,
  format: 'yaml' | 'json',
): string {
  const objects = buildObjects(knownInputs(parseValues(sources), namespace, version));
  const isNamespaced = objects.some(({ metadata }) => metadata.namespace !== undefined);
  const items = [...(isNamespaced ? [namespaceObject(namespace)] : []), ...objects];
  if (format === 'yaml') return toYaml(items);
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`;
}
