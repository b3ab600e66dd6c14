// SPDX-License-Identifier: Apache-2.0
// The schemas of Kubernetes, cert-manager and the Prometheus operator: as validators, and as types that know every field.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const cache = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind
type KubernetesObject = any;

const packages: Record<string, string> = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/** The module of an object's API group, such as "kubernetes-models/apps/v1". */
function moduleOf({ apiVersion }: KubernetesObject): string {
  const [group = ''] = apiVersion.split('/');
  return `${packages[group] ?? 'kubernetes-models'}/${apiVersion}`;
}

/** The beta of a policy has the fields of v1, and the package knows only that. */
function asKnown(object: KubernetesObject): KubernetesObject {
  const known = 'admissionregistration.k8s.io/v1';
  return object.apiVersion === `${known}beta1` ? { ...object, apiVersion: known } : object;
}

/** What the OpenAPI schema of its kind says against an object; empty when nothing. */
export async function validate(given: KubernetesObject): Promise<string[]> {
  const object = asKnown(given);
  const models = (await import(moduleOf(object))) as Record<
    string,
    new (
      data: object,
    ) => { validate: () => void }
  >;
  const Model = models[object.kind];
  if (Model === undefined) return [`no kind ${object.kind} in ${moduleOf(object)}`];
  try {
    new Model(object).validate();
    return [];
  } catch (error) {
    return [`${object.kind} ${object.metadata.name}: ${(error as Error).message}`];
  }
}

/** Fields that no version of the schemas has, and values of other types: found by the TypeScript compiler. */
export function unknownFields(objects: readonly KubernetesObject[]): string[] {
  const directory = mkdtempSync(join(cache, 'kubernetes-types-'));
  const file = join(directory, 'objects.mts');
  const lines = objects.map(asKnown).map((object) => {
    const { apiVersion: _, ...rest } = object;
    return `void (${JSON.stringify(rest)} satisfies Omit<import('${moduleOf(object)}').I${object.kind}, 'apiVersion'>);`;
  });
  try {
    writeFileSync(file, `${lines.join('\n')}\nexport {};\n`);
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      types: [],
    });
    const source = program.getSourceFile(file);
    return [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ].map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
