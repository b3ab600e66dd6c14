// SPDX-License-Identifier: Apache-2.0
import { knownInputs } from './inputs.js';
import { parseValues, type ValueSources } from './parse-values.js';
import { buildObjects, namespaceObject, toYaml } from './render.js';

/** What `kubectl apply` takes; @throws KubernetesError "invalid_values". */
export function printManifests(sources: ValueSources, namespace: string, version: string): string {
  const objects = buildObjects(knownInputs(parseValues(sources), namespace, version));
  const isNamespaced = objects.some(({ metadata }) => metadata.namespace !== undefined);
  return toYaml([...(isNamespaced ? [namespaceObject(namespace)] : []), ...objects]);
}
