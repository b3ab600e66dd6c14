// SPDX-License-Identifier: Apache-2.0
// What stat and readdir say, and who may read what.
import { lstat, mkdir, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { type Finished, RunningDaemon, run } from '../_support/lensfs.js';
import { rootsOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { python } from '../_support/python.js';
import { buildTree, file, type Tree, unpackTree } from '../_support/tree.js';

const sysCpu = 'sys/devices/system/cpu';

/** Runs a command as a user without any rights. */
function runAsNobody(...command: string[]): Promise<Finished> {
  return run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', ...command]);
}

/** Every path below `root` as lookups give them: type, permissions, target of a link. */
async function walk(root: string, path = ''): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await readdir(join(root, path))) {
    const at = join(path, name);
    const status = await lstat(join(root, at));
    const link = status.isSymbolicLink() ? await readlink(join(root, at)) : '';
    found.set(at, `${status.mode.toString(8)} ${link}`.trim());
    if (status.isDirectory()) for (const below of await walk(root, at)) found.set(...below);
  }
  return found;
}

describe('attributes', () => {
  const daemon = useDaemon();

  test('files, directories and modes are those of /proc and /sys', async () => {
    const tree = await walk(daemon().tree);
    for (const directory of ['proc', 'proc/pressure', 'sys', sysCpu, `${sysCpu}/cpu0`]) {
      expect([directory, tree.get(directory)]).toEqual([directory, '40555']);
    }
    for (const name of ['meminfo', 'stat', 'cpuinfo', 'uptime', 'pressure/io']) {
      expect([name, tree.get(`proc/${name}`)]).toEqual([name, '100444']);
    }
    expect(tree.get('proc/slabinfo')).toBe('100400');
    for (const name of ['online', 'offline', 'possible', 'present']) {
      expect([name, tree.get(`${sysCpu}/${name}`)]).toEqual([name, '100444']);
    }
  });

  test('sizes are more than what there is to read, and never change', async () => {
    for (const path of ['proc/meminfo', 'proc/stat', 'proc/cpuinfo', `${sysCpu}/online`]) {
      const { size, blksize, mtimeMs } = await stat(`${daemon().tree}/${path}`);
      const text = await readFile(`${daemon().tree}/${path}`, 'utf8');
      expect(size).toBeGreaterThanOrEqual(4096);
      expect(size % 4096).toBe(0);
      expect(size).toBeGreaterThanOrEqual(text.length);
      expect(blksize).toBeGreaterThanOrEqual(size);
      const again = await stat(`${daemon().tree}/${path}`);
      expect([again.size, again.mtimeMs]).toEqual([size, mtimeMs]);
    }
  });

  test('every file has an inode number of its own, the same in stat and readdir', async () => {
    await using cgroup = await TestCgroup.create();
    const wrong = await python<string[]>(
      `
      seen, wrong = {}, []
      os.stat(args[0] + '/views' + args[1])
      for directory, _, _ in os.walk(args[0]):
          for entry in os.scandir(directory):
              path, inode = entry.path, entry.stat(follow_symlinks=False).st_ino
              if inode != entry.inode() or inode in seen:
                  wrong.append(path)
              seen[inode] = path
              kind = stat.S_IFMT(os.lstat(path).st_mode)
              if (entry.is_dir(follow_symlinks=False), entry.is_symlink()) != (
                      kind == stat.S_IFDIR, kind == stat.S_IFLNK):
                  wrong.append(path + ' (type)')
      reply(wrong)
      `,
      { args: [`${daemon().runDir}/mnt/shared`, cgroup.path] },
    );
    expect(wrong).toEqual([]);
  });

  test("below cpu the tree is the host's, without write permissions", async () => {
    const ours = await walk(`${daemon().tree}/${sysCpu}`);
    const hosts = await walk(`/${sysCpu}`);
    const withoutWrite = [...hosts].map(([path, what]) => {
      const [mode = '', link] = what.split(' ');
      const shown = (Number.parseInt(mode, 8) & ~0o222).toString(8);
      return [path, link === undefined ? shown : `${shown} ${link}`] as const;
    });
    expect([...ours].sort()).toEqual(withoutWrite.sort());
  });

  test('find meets exactly what lookups find', async () => {
    const { code, stdout, stderr } = await run('find', [daemon().tree, '-mindepth', '1']);
    expect([code, stderr]).toEqual([0, '']);
    const paths = stdout.trimEnd().split('\n').sort();
    const looked = [...(await walk(daemon().tree)).keys()].map((path) => join(daemon().tree, path));
    expect(paths).toEqual(looked.sort());
    for (const missing of [
      'proc/version',
      'proc/1',
      'etc',
      `${sysCpu}/cpu4095`,
      'proc/meminfo/x',
    ]) {
      await expect(lstat(`${daemon().tree}/${missing}`)).rejects.toMatchObject({
        code: expect.stringMatching(/^(ENOENT|ENOTDIR)$/) as string,
      });
    }
  });

  test('. and .. come once in each directory', async () => {
    for (const directory of ['', 'proc', 'proc/pressure', 'sys', 'sys/devices', sysCpu]) {
      const { stdout } = await run('ls', ['-1fU', `${daemon().tree}/${directory}`]);
      const names = stdout.trimEnd().split('\n');
      expect(names.filter((name) => name === '.' || name === '..').sort()).toEqual(['.', '..']);
      expect(new Set(names).size).toBe(names.length);
    }
    // Through the mount's own "..", not the lookup of one.
    expect((await run('ls', ['-1', `${daemon().tree}/proc/pressure/../..`])).stdout).toBe(
      'proc\nsys\n',
    );
  });

  test('a thousand listings are the same', async () => {
    const different = await python<number>(
      `
      first = os.listdir(args[0])
      reply(sum(os.listdir(args[0]) != first for _ in range(1000)))
      `,
      { args: [`${daemon().tree}/${sysCpu}`] },
    );
    expect(different).toBe(0);
  });

  test('others than root may read all but what the host keeps for root', async () => {
    const read = (path: string) => runAsNobody('cat', path);
    expect((await read(`${daemon().tree}/proc/meminfo`)).stdout).toMatch(/^MemTotal:/);
    expect((await read(`${daemon().tree}/${sysCpu}/online`)).code).toBe(0);
    const refused = await read(`${daemon().tree}/proc/slabinfo`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/Permission denied/);
    expect(await readFile(`${daemon().tree}/proc/slabinfo`, 'utf8')).toMatch(/^slabinfo - version/);
  });

  test('a container lists and finds its own CPUs only', async () => {
    await using cgroup = await TestCgroup.create({ cpus: 1 });
    const hosts = (await readdir(`/${sysCpu}`)).filter((name) => /^cpu\d+$/.test(name));
    const script = `
      tree, hosts = args[0], args[1:]
      listed = [name for name in os.listdir(tree) if name in hosts]
      found = [name for name in hosts if os.path.exists(tree + '/' + name)]
      reply([listed, found, ['cpu' + open(tree + '/online').read().strip()]])
    `;
    const args = [`${daemon().tree}/${sysCpu}`, ...hosts];
    const [listed, found, online] = await python<string[][]>(script, { args, cgroup });
    expect([listed, found]).toEqual([online, online]);
    // The kernel remembers no name that depends on who asks.
    const [hostListed, hostFound] = await python<string[][]>(script, { args });
    expect([hostListed?.sort(), hostFound]).toEqual([[...hosts].sort(), hosts]);
  });
});

describe('another host', () => {
  async function serve(tree: Tree): Promise<RunningDaemon> {
    const { sys, proc, cgroup } = { sys: tree.sys, proc: '/proc', cgroup: '/sys/fs/cgroup' };
    return await RunningDaemon.start(rootsOf({ sys, proc, cgroup }));
  }

  test('files that are for root only stay so', async () => {
    await using tree = await buildTree({
      [`sys/devices/system/cpu`]: {
        online: '0\n',
        possible: '0\n',
        present: '0\n',
        offline: '\n',
        secret: file('42\n', 0o400),
        'cpu0/crash_notes': file('1234\n', 0o400),
        'cpu0/topology/core_id': '0\n',
        'cpu0/writable': file('1\n', 0o644),
      },
    });
    await using daemon = await serve(tree);
    await run('chmod', ['755', daemon.dir.path]);
    const cpu = `${daemon.tree}/${sysCpu}`;
    const modes = new Map(await walk(cpu));
    expect(modes.get('secret')).toBe('100400');
    expect(modes.get('cpu0/crash_notes')).toBe('100400');
    expect(modes.get('cpu0/writable')).toBe('100444');
    expect(await readFile(`${cpu}/secret`, 'utf8')).toBe('42\n');
    for (const path of ['secret', 'cpu0/crash_notes']) {
      const { stderr } = await runAsNobody('cat', `${cpu}/${path}`);
      expect(stderr).toMatch(/Permission denied/);
    }
  });

  test('has the frequency policies of visible CPUs only', async () => {
    const policy = (name: string, cpus: string) => ({
      [`cpufreq/${name}/related_cpus`]: `${cpus}\n`,
      [`cpufreq/${name}/freqdomain_cpus`]: `${cpus}\n`,
      [`cpufreq/${name}/scaling_cur_freq`]: '2500000\n',
    });
    await using tree = await buildTree({
      [sysCpu]: {
        online: '0-3\n',
        'cpu0/online': '1\n',
        ...policy('policy0', '0'),
        ...policy('policy1', '1 3'),
        ...policy('policy2', '2'),
        'cpufreq/boost': '1\n',
      },
    });
    await using daemon = await serve(tree);
    await using cgroup = await TestCgroup.create({ cpuset: '1' });
    const script = `cd "$0"; ls; cat policy1/freqdomain_cpus; ls policy0 2>&1; cat policy2/related_cpus 2>&1`;
    const directory = `${daemon.tree}/${sysCpu}/cpufreq`;
    const { stdout } = await run(...cgroup.contain('sh', '-c', script, directory));
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(0, 3)).toEqual(['boost', 'policy1', '1']);
    expect(lines.slice(3)).toHaveLength(2);
    for (const line of lines.slice(3)) expect(line).toMatch(/No such file/);
    expect((await readdir(directory)).sort()).toEqual(['boost', 'policy0', 'policy1', 'policy2']);
  });

  test('a directory of many pages is listed whole, each name once', async () => {
    await using tree = await unpackTree('v2-64cpu');
    for (let cpu = 64; cpu < 512; ++cpu)
      await mkdir(join(tree.sys, `devices/system/cpu/cpu${cpu}`));
    await tree.write(`${sysCpu}/online`, '0-511\n');
    await using daemon = await serve(tree);
    const names = await readdir(`${daemon.tree}/${sysCpu}`);
    expect(names.sort()).toEqual((await readdir(`${tree.root}/${sysCpu}`)).sort());
    expect(names.filter((name) => /^cpu\d+$/.test(name)).length).toBe(512);
  });
});
