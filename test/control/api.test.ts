// SPDX-License-Identifier: Apache-2.0
// The control API of a real daemon.
import { readFile, stat, writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { endpoints, errorReply, explainReply, viewsReply } from '../../src/control/protocol.js';
import { readEvents, send } from '../_support/http.js';
import { lensfs, program, RunningDaemon } from '../_support/lensfs.js';
import { built, fuseDevice, root, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(built(program), built('build/Release/addon.node'), root, fuseDevice);

function socketOf({ runDir }: RunningDaemon): string {
  return `${runDir}/control.sock`;
}

describe('the control API', () => {
  test('shows a reader among the views, with what it read and its limits', async () => {
    await using daemon = await RunningDaemon.start();
    await readFile(`${daemon.tree}/proc/meminfo`);
    const answer = await send(socketOf(daemon), 'GET', '/v1/views');
    const { views } = viewsReply.parse(JSON.parse(answer.body));
    expect(views.reduce((sum, { reads }) => sum + reads, 0)).toBeGreaterThan(0);
    const [first] = views;
    const id = encodeURIComponent(first?.id ?? '');
    const one = await send(socketOf(daemon), 'GET', `/v1/views/${id}`);
    expect(JSON.parse(one.body)).toMatchObject({ cgroup: first?.cgroup });
    const text = await daemon.command('views');
    expect(text.stdout).toMatch(/^CONTAINER +INIT +AGE +CPUS +MEMORY/);
    const json = await daemon.command('views', '--json');
    expect(JSON.parse(json.stdout).views).toHaveLength(views.length);
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
