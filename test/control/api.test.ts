// SPDX-License-Identifier: Apache-2.0
// The control API of a real daemon.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect } from 'vitest';
import { endpoints, errorReply, explainReply, viewsReply } from '../../src/control/protocol.js';
import { TestCgroup } from '../_support/cgroup.js';
import { readEvents, send } from '../_support/http.js';
import { lensfs, program, RunningDaemon, run } from '../_support/lensfs.js';
import { built, fuseDevice, root, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(built(program), built('build/Release/addon.node'), root, fuseDevice);

/** A command that runs until it is disposed. */
class Reader implements Disposable {
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: 'ignore' });
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** The schema of JSON at a place of an OpenAPI document. */
function schemaAt(described: object, path: string, ...way: string[]): object {
  const steps = ['paths', path, ...way, 'content', 'application/json', 'schema'];
  return steps.reduce<Record<string, unknown>>(
    (inner, step) => inner[step] as Record<string, unknown>,
    described as Record<string, unknown>,
  );
}

function socketOf({ runDir }: RunningDaemon): string {
  return `${runDir}/control.sock`;
}

describe('the control API', () => {
  test('shows a reader among the views, with what it read and its limits', async () => {
    await using daemon = await RunningDaemon.start(['--set', 'freshness=1s']);
    await using cgroup = await TestCgroup.create({ cpus: 1, memoryBytes: 64 * 2 ** 20 });
    // Keeps reading, as a view is gone soon after its last process.
    const script = 'while cat "$0"; do sleep 0.05; done >/dev/null';
    const shell = cgroup.contain('sh', '-c', script, `${daemon.tree}/proc/meminfo`);
    using _reader = new Reader(...shell);
    const find = async () => {
      const answer = await send(socketOf(daemon), 'GET', '/v1/views');
      const { views } = viewsReply.parse(JSON.parse(answer.body));
      return views.find((view) => view.cgroup.endsWith(cgroup.path) && view.hits > 0);
    };
    await expect.poll(find, { timeout: 10_000 }).toBeDefined();
    const found = await find();
    expect(found).toMatchObject({
      memoryLimitBytes: 64 * 2 ** 20,
      memoryTotalBytes: 64 * 2 ** 20,
      memoryUsageBytes: expect.toSatisfy((bytes) => bytes > 0 && bytes < 64 * 2 ** 20),
      cpuCount: 1,
      cpuQuota: 1,
      tasks: expect.toSatisfy((tasks) => tasks > 0),
      reads: expect.toSatisfy((reads) => reads > (found?.hits ?? 0)),
      hasOwnPolicy: false,
      problem: '',
    });
    const id = encodeURIComponent(found?.id ?? '');
    const one = await send(socketOf(daemon), 'GET', `/v1/views/${id}`);
    expect(JSON.parse(one.body)).toMatchObject({ cgroup: found?.cgroup, initPid: found?.initPid });
    const text = await daemon.command('views');
    expect(text.stdout).toMatch(/^CONTAINER +INIT +AGE +CPUS +MEMORY/);
    const json = await daemon.command('views', '--json');
    expect(JSON.parse(json.stdout).views.map((view: { id: string }) => view.id)).toContain(
      found?.id,
    );
  });

  test('renders a file for a cgroup and for a view, and lists the files', async () => {
    await using daemon = await RunningDaemon.start();
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
    const files = await send(socketOf(daemon), 'GET', '/v1/files');
    expect(JSON.parse(files.body).files).toEqual(
      expect.arrayContaining(['proc/meminfo', 'sys/devices/system/cpu/online']),
    );
    const cat = cgroup.contain('cat', `${daemon.tree}/proc/meminfo`);
    const { stdout } = await run(...cat);
    const path = encodeURIComponent(cgroup.path);
    const { stdout: view } = await daemon.command('show', '--view', '--cgroup', cgroup.path);
    for (const query of [`cgroup=${path}`, `view=${encodeURIComponent(basename(view.trim()))}`]) {
      const file = await send(socketOf(daemon), 'GET', `/v1/files/proc/meminfo?${query}`);
      expect([query, file.status, file.body.split('\n')[0]]).toEqual([
        query,
        200,
        stdout.split('\n')[0],
      ]);
    }
  });

  test('renders and explains a file for a process, as the mount shows it', async () => {
    await using daemon = await RunningDaemon.start();
    const query = `?pid=${process.pid}`;
    const file = await send(socketOf(daemon), 'GET', `/v1/files/proc/meminfo${query}`);
    expect([file.status, file.type]).toEqual([200, 'text/plain; charset=utf-8']);
    expect(file.body).toMatch(/^MemTotal: +\d+ kB\n/);
    const answer = await send(socketOf(daemon), 'GET', `/v1/explain/proc/meminfo${query}`);
    const explained = explainReply.parse(JSON.parse(answer.body));
    expect(explained.numbers.map(({ name }) => name)).toEqual(
      [...file.body.matchAll(/^([^:]+):/gm)].map(([, name]) => name),
    );
    const { stdout } = await daemon.command('explain', 'proc/meminfo', '--pid', `${process.pid}`);
    expect(stdout).toMatch(/^\/proc\/meminfo of .*\n\nNAME +VALUE +HOST +HOW\nMemTotal +\d+/);
  });

  test('explain answers the same for a wrong file and for --set, with a daemon and without', async () => {
    await using daemon = await RunningDaemon.start();
    await using nobody = await TempDir.create();
    const both = async (...args: string[]) => [
      await daemon.command('explain', ...args),
      await lensfs(['explain', '--run-dir', nobody.path, ...args]),
    ];
    const [wrong, wrongAlone] = await both('proc/none');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong?.stderr).toMatch(/^lensfs: explain: no virtual file "proc\/none": one of proc\//);
    expect(wrongAlone).toEqual(wrong);
    const [set, setAlone] = await both('proc/meminfo', '--set', `roots.proc=${nobody.path}`);
    expect(set).toMatchObject({ code: 1, stdout: '' });
    expect(setAlone).toEqual(set);
  });

  test('changes live keys at once, and only those', async () => {
    await using daemon = await RunningDaemon.start();
    const patch = (body: unknown) =>
      send(socketOf(daemon), 'PATCH', '/v1/config', JSON.stringify(body), {
        'content-type': 'application/json',
      });
    const changed = await patch({ freshness: '1s', log: { level: 'debug' }, files: ['proc/stat'] });
    expect(JSON.parse(changed.body)).toEqual({
      applied: ['freshness', 'files', 'log.level'],
      needsRestart: [],
    });
    const shown = JSON.parse((await send(socketOf(daemon), 'GET', '/v1/config')).body);
    expect(shown.config).toMatchObject({ freshness: '1s', files: ['proc/stat'] });
    expect(shown.live).toContain('freshness');
    const fixed = await patch({ tree: '/elsewhere' });
    expect([fixed.status, fixed.body]).toEqual([
      422,
      expect.stringContaining('tree: takes effect only after a restart'),
    ]);
    const wrong = await patch({ cpu: { count: 'many' } });
    expect([wrong.status, wrong.body]).toEqual([
      422,
      expect.stringContaining('cpu.count: expected quota or cpuset'),
    ]);
  });

  test('describes itself, every request and reply included', async () => {
    await using daemon = await RunningDaemon.start();
    const { body } = await send(socketOf(daemon), 'GET', '/v1/openapi.json');
    const described = JSON.parse(body) as { openapi: string; paths: Record<string, object> };
    expect(described.openapi).toBe('3.1.0');
    const ids = Object.values(described.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(ids.sort()).toEqual(Object.keys(endpoints).sort());
    const ajv = new Ajv2020({ strict: false });
    for (const path of ['/v1/status', '/v1/views', '/v1/files', '/v1/config']) {
      const isReply = ajv.compile(schemaAt(described, path, 'get', 'responses', '200'));
      const reply = JSON.parse((await send(socketOf(daemon), 'GET', path)).body);
      expect([path, isReply(reply), isReply.errors]).toEqual([path, true, null]);
      expect(isReply({ ...reply, [Object.keys(reply)[0] ?? '']: null })).toBe(false);
    }
    const isChange = ajv.compile(schemaAt(described, '/v1/config', 'patch', 'requestBody'));
    expect(isChange({ freshness: '1s', cpu: { count: 'cpuset' } })).toBe(true);
    expect(isChange({ cpu: { count: 'many' } })).toBe(false);
    expect(isChange({ tree: '/elsewhere' })).toBe(false);
  });

  test('shows other values at once when the policy changes', async () => {
    await using daemon = await RunningDaemon.start(['--set', 'freshness=0']);
    await using cgroup = await TestCgroup.create({ cpus: 1, memoryBytes: 64 * 2 ** 20 });
    const cat = cgroup.contain('cat', `${daemon.tree}/proc/stat`);
    const cpus = async () => (await run(...cat)).stdout.match(/^cpu\d/gm)?.length;
    const before = await cpus();
    const body = JSON.stringify({ cpu: { count: 'cpuset' } });
    const type = { 'content-type': 'application/json' };
    await send(socketOf(daemon), 'PATCH', '/v1/config', body, type);
    expect([before, await cpus()]).toEqual([1, availableParallelism()]);
  });

  test('counts every read by file and outcome', async () => {
    await using daemon = await RunningDaemon.start(['--set', 'freshness=60s']);
    for (let read = 0; read < 3; read += 1) await readFile(`${daemon.tree}/proc/uptime`);
    const { stdout } = await daemon.command('metrics');
    expect(stdout).toMatch(/^lensfs_reads_total\{file="proc\/uptime",outcome="rendered"\} 1$/m);
    expect(stdout).toMatch(/^lensfs_reads_total\{file="proc\/uptime",outcome="cached"\} [1-9]/m);
    expect(stdout).toMatch(/^lensfs_read_duration_seconds_count [1-9]/m);
  });

  test('tells of a view that comes, and of changes of the configuration', async () => {
    await using daemon = await RunningDaemon.start();
    const end = new AbortController();
    const events = readEvents(socketOf(daemon), end.signal);
    const first = events.next();
    const body = JSON.stringify({ freshness: '2s' });
    const headers = { 'content-type': 'application/json' };
    await expect
      .poll(async () => (await send(socketOf(daemon), 'GET', '/v1/status')).status)
      .toBe(200);
    await send(socketOf(daemon), 'PATCH', '/v1/config', body, headers);
    expect((await first).value).toMatchObject({
      name: 'config-changed',
      data: { applied: ['freshness'] },
    });
    end.abort();
  });

  test('stops while somebody listens to events', async () => {
    await using daemon = await RunningDaemon.start();
    const events = readEvents(socketOf(daemon), new AbortController().signal);
    const next = events.next();
    await expect.poll(async () => (await daemon.command('status')).code).toBe(0);
    expect((await daemon.command('stop')).code).toBe(0);
    expect((await next).done).toBe(true);
  });
});

describe('lensfs top', () => {
  test('prints one look where there is no terminal', async () => {
    await using daemon = await RunningDaemon.start();
    await readFile(`${daemon.tree}/proc/meminfo`);
    const { code, stdout } = await daemon.command('top', '--interval', '0.2');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^CONTAINER +CPU +OF +THROTTLED/)]);
  });
});

describe('lensfs config', () => {
  test('makes a file that is right, and never over one that is there', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('config.yaml');
    expect((await lensfs(['config', 'init', file])).code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    expect(await lensfs(['config', 'check', '--config', file])).toMatchObject({ code: 0 });
    expect(await lensfs(['config', 'init', file])).toMatchObject({ code: 1 });
  });

  test('reads conf.d after the file, in the order of names', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('config.yaml');
    await writeFile(file, 'freshness: 1s\ncpu: {count: cpuset}\n');
    const { mkdir } = await import('node:fs/promises');
    await mkdir(dir.at('conf.d'));
    await writeFile(dir.at('conf.d/20-b.yaml'), 'freshness: 3s\n');
    await writeFile(dir.at('conf.d/10-a.yaml'), 'freshness: 2s\nswap: off\n');
    await writeFile(dir.at('conf.d/30.txt'), 'not: read\n');
    const { stdout } = await lensfs(['config', 'show', '--json', '--config', file]);
    expect(JSON.parse(stdout)).toMatchObject({
      freshness: '3s',
      swap: 'off',
      cpu: { count: 'cpuset' },
    });
  });
});

describe('lensfs completion', () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    test(`knows every command for ${shell}`, async () => {
      const { stdout } = await lensfs(['completion', shell]);
      for (const name of ['serve', 'views', 'top', 'explain', 'config', 'metrics', 'completion']) {
        expect(stdout).toContain(name);
      }
    });
  }
});

describe('an error of the API', () => {
  test('has a code and a message', async () => {
    await using daemon = await RunningDaemon.start();
    const answer = await send(socketOf(daemon), 'GET', '/v1/files/proc/none?pid=1');
    expect(answer.status).toBe(404);
    expect(errorReply.parse(JSON.parse(answer.body)).error.message).toMatch(
      /^No virtual file "proc\/none": one of /,
    );
  });
});
