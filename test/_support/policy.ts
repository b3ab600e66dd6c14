// SPDX-License-Identifier: Apache-2.0
// Evaluates a MutatingAdmissionPolicy: its CEL by a CEL implementation, its merge as the API server's lists are defined.
import { Environment } from '@marcbachmann/cel-js';

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind
type Json = any;

/** The lists that are merged by a key in it, as the OpenAPI schema of pods says. */
const listKeys: Record<string, string> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
};

function environment(): Environment {
  const created = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
  });
  // From the string library that Kubernetes adds to CEL, which this implementation does not have.
  created.registerFunction(
    'string.replace(string, string): string',
    (text: string, from: string, to: string) => text.replaceAll(from, to),
  );
  return created;
}

/** An object of a type is, to this implementation, a map: `Object.spec{name: 1}` is `{"name": 1}`. */
function withoutTypes(expression: string): string {
  return expression.replace(/\bObject(\.\w+)*\{/g, '{').replace(/([{,]\s*)(\w+): /g, '$1"$2": ');
}

/** (?i) in front is RE2's, not JavaScript's. */
function withoutFlags(expression: string): string {
  return expression.replace(/'\^\(\?i\)\(([^']*)\)'/g, (_, names: string) => `'^(${names})'`);
}

export class Policy {
  readonly #spec: Json;
  readonly #cel = environment();

  constructor(policy: Json) {
    this.#spec = policy.spec;
  }

  /** Whether the conditions let a pod through, that is created or was another before. */
  matches(object: Json, oldObject: Json = null): boolean {
    return this.#spec.matchConditions.every(
      ({ expression }: Json) =>
        this.#cel.evaluate(withoutFlags(expression), { object, oldObject }) === true,
    );
  }

  /** The pod after all mutations. */
  mutate(object: Json, oldObject: Json = null): Json {
    let after = structuredClone(object);
    for (const { applyConfiguration } of this.#spec.mutations) {
      const variables = Object.fromEntries(
        this.#spec.variables.map(({ name, expression }: Json) => [
          name,
          this.#cel.evaluate(expression, {}),
        ]),
      );
      const configuration = this.#cel.evaluate(withoutTypes(applyConfiguration.expression), {
        object: after,
        oldObject,
        variables,
      });
      after = apply(after, plain(configuration));
    }
    return after;
  }
}

function plain(value: unknown): Json {
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function apply(object: Json, configuration: Json, name = ''): Json {
  if (Array.isArray(configuration)) return applyList(object ?? [], configuration, name);
  if (typeof configuration !== 'object') return configuration;
  const merged = Object.entries(configuration).map(([key, inner]) => [
    key,
    apply(object?.[key], inner, key),
  ]);
  return { ...object, ...Object.fromEntries(merged) };
}

function applyList(existing: Json[], configuration: Json[], name: string): Json[] {
  const key = listKeys[name];
  if (key === undefined) throw new Error(`"${name}" is no list that is merged`);
  const result = [...existing];
  for (const item of configuration) {
    const at = result.findIndex((other) => other[key] === item[key]);
    if (at === -1) result.push(item);
    else result[at] = apply(result[at], item);
  }
  return result;
}
