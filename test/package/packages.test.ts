// SPDX-License-Identifier: Apache-2.0
// The packages in a fresh Debian: installed, used, and taken away again.
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { configJsonSchema } from '../../src/config/default-file.js';
import { DebianRoot, scriptFunctions, succeed } from '../_support/debian-root.js';
import { type Finished, run } from '../_support/lensfs.js';
import { patience } from '../_support/patience.js';
import { command, fuseDevice, root, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const requirements = [root, fuseDevice, command('mmdebstrap'), command('dpkg-deb')];
const test = testWith(...requirements);
const timeoutMs = 1_200_000 * patience;

/** Of the daemon that the script has started: what it says, reads and shows. */
const use = `
lensfs --version
wait_for lensfs status $where
lensfs show proc/meminfo --pid $$ | head -n 1
head -n 1 $tree/proc/meminfo
lensfs status $where --json | grep '"layout"'
lensfs stop $where
wait
if grep -E "lensfs|fuse" /proc/self/mounts; then exit 3; fi
`;
const useOutput =
  /^0\.1\.0\nMemTotal: +\d+ kB\nMemTotal: +\d+ kB\n +"layout": "(v1|v2|hybrid)",\n$/;

let dir: TempDir;
let debian: DebianRoot;
const tarball = 'build-packages/lensfs-0.1.0.tgz';
let deb: string;
/** What "npm pack" puts into the package after a build, and nothing else. */
let packedAlone: string[];
/** What runs on this machine, not in the fresh Debian, at the same time as that is used. */
let lintian: Promise<Finished>;
let fromSource: Promise<FromSource>;

beforeAll(async () => {
  if (!requirements.every((requirement) => requirement.met())) return;
  dir = await TempDir.create();
  [debian] = await Promise.all([DebianRoot.create(dir), makePackages()]);
  for (const file of [tarball, deb]) await cp(file, debian.at(basename(file)));
  lintian = run('lintian', ['--fail-on', 'error,warning', deb], { timeout: timeoutMs });
  fromSource = buildFromSource();
  for (const begun of [lintian, fromSource]) begun.catch(() => {}); // the tests await them
}, timeoutMs);

async function makePackages(): Promise<void> {
  await rm('prebuilds', { recursive: true, force: true });
  await succeed('npm', ['run', 'build', '--silent']);
  const { stdout } = await succeed('npm', ['pack', '--dry-run', '--json', '--loglevel=error']);
  const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  packedAlone = packed.files.map(({ path }) => path);
  deb = (await succeed('scripts/package-deb', [])).stdout.trim();
}

afterAll(async () => {
  await Promise.allSettled([lintian, fromSource]);
  await dir?.[Symbol.asyncDispose]();
});

describe('the npm package', () => {
  test('has what it needs for this machine when it was made by "npm pack" after a build', async () => {
    const prebuilt = `prebuilds/${process.platform}-${process.arch}`;
    const notices = ['prebuilds/LGPL-2.1', 'prebuilds/NOTICE'];
    const expected = [...notices, ...made.map((name) => `${prebuilt}/${name}`)].sort();
    expect(packedAlone.filter((path) => path.startsWith('prebuilds/')).sort()).toEqual(expected);
    const sources = await readdir('src', { recursive: true });
    const scripts = sources.filter((path) => path.endsWith('.ts'));
    const compiled = scripts.map((path) => `dist/${path.replace(/\.ts$/, '.js')}`).sort();
    expect(packedAlone.filter((path) => /^dist\/.*\.js$/.test(path)).sort()).toEqual(compiled);
  });

  // scripts/prepack asks the same of each architecture that it makes, before anything is packed.
  test('is not made of programs for another machine or in need of a library', async () => {
    const check = (arch: string, ...directory: string[]) =>
      run('scripts/check-prebuilt', [arch, ...directory]);
    expect(await check(process.arch)).toMatchObject({ code: 0, stderr: '' });
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    const spoilt = dir.at('prebuilt');
    await cp(`prebuilds/linux-${process.arch}`, spoilt, { recursive: true });
    const { code, stderr } = await check(other, spoilt);
    const wrong = made.map((name) => expect.stringContaining(`${spoilt}/${name} is for `));
    expect([code, stderr.trimEnd().split('\n')]).toEqual([1, wrong]);

    await copyFile('/bin/sh', `${spoilt}/lensfs-hook`);
    await rm(`${spoilt}/lensfs-keeper`);
    const ours = await check(process.arch, spoilt);
    expect(ours.code).toBe(1);
    for (const told of [
      'hook needs libc.so.6',
      'hook is not static',
      `no ${spoilt}/lensfs-keeper`,
    ]) {
      expect(ours.stderr).toContain(told);
    }
  });

  test(
    'installs and serves without a compiler and without libfuse',
    async () => {
      const { code, stdout, stderr } = await debian.script(`${scriptFunctions}
for tool in g++ gcc cc make python3 pkg-config; do if command -v $tool; then exit 3; fi; done
if find / -xdev -name 'libfuse3*' | grep .; then exit 3; fi
mkdir /srv/app
cd /srv/app
npm install /${basename(tarball)} >&2
PATH=/srv/app/node_modules/.bin:$PATH
where='--run-dir /srv/run' tree=/srv/tree
lensfs serve --tree $tree $where &
${use}`);
      expect([code, stdout], stderr).toEqual([0, expect.stringMatching(useOutput)]);
      expect(stderr).not.toContain('Building lensfs from source');
    },
    timeoutMs,
  );

  test(
    'names what is missing where it has nothing for the machine and cannot be built',
    async () => {
      const { code, stderr } = await debian.script(`cd /srv/app/node_modules/lensfs
rm -r prebuilds
node dist/install.js`);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^Building lensfs from source: the package has no "prebuilds\/linux-\w+\/"\nlensfs: Cannot build lensfs without make, g\+\+, python3, pkg-config, libfuse3: on Debian "apt-get install [^"]+", then "npm rebuild lensfs"\n$/,
      );
    },
    timeoutMs,
  );

  test(
    'is built from source where it has nothing for the machine',
    async () => {
      const { installed, install } = await fromSource;
      expect(install.stderr).toMatch(
        /^Building lensfs from source: the package has no "prebuilds\/linux-\w+\/"\n/,
      );
      for (const name of made) expect(existsSync(`${installed}/build/Release/${name}`)).toBe(true);
      const shown = await succeed(`${installed}/dist/main.js`, ['show', 'proc/uptime']);
      expect(shown.stdout).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/);
    },
    timeoutMs,
  );
});

const made = ['addon.node', 'lensfs-hook', 'lensfs-keeper', 'lensfs-runtime'];

interface FromSource {
  installed: string;
  install: Finished;
}

/** Installs the package without what it brings for this machine. */
async function buildFromSource(): Promise<FromSource> {
  await succeed('tar', ['-xzf', tarball, '-C', dir.path]);
  const installed = dir.at('package');
  await rm(`${installed}/prebuilds`, { recursive: true });
  await linkModules(installed);
  // What this checkout has compiled of the same sources is there already, but for a file of each program.
  await succeed('cp', ['-a', 'build', installed]);
  const objects = [
    'addon/native/addon/peer',
    'keeper/native/keeper/log',
    'hook/native/hook/report',
  ];
  for (const name of [
    ...made,
    'obj.target/addon.node',
    ...objects.map((object) => `obj.target/${object}.o`),
  ]) {
    await rm(`${installed}/build/Release/${name}`);
  }
  const install = await succeed('node', [`${installed}/dist/install.js`], timeoutMs);
  return { installed, install };
}

/** The modules of this checkout; a copy of the one whose path is in the commands of the build. */
async function linkModules(installed: string): Promise<void> {
  await mkdir(`${installed}/node_modules`);
  for (const name of await readdir('node_modules')) {
    const from = resolve('node_modules', name);
    const to = `${installed}/node_modules/${name}`;
    if (name === 'node-addon-api') await cp(from, to, { recursive: true });
    else if (!name.startsWith('.')) await symlink(from, to);
  }
}

/** Everything but the records of what was installed. */
const list = `find / -xdev \\( -path /proc -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \\) -prune \\
  -o -printf '%y %p\\n' | sort`;

describe('the Debian package', () => {
  test(
    'is installed, used, upgraded under a daemon that serves, and purged without a trace',
    async () => {
      const { code, stdout, stderr } = await debian.script(`${scriptFunctions}
exec 3>&1 >&2
# The package brings its own.
mv /usr/bin/node /root/
touch /tmp/before /tmp/after
${list} >/tmp/before
dpkg -i /${basename(deb)}
export where= tree=/var/lib/lensfs
lensfs config check
for program in lensfs-runtime lensfs-hook; do test -x /usr/bin/$program; done
for file in /usr/share/man/man1/lensfs.1.gz /usr/share/man/man5/lensfs.yaml.5.gz \\
  /usr/share/bash-completion/completions/lensfs /usr/lib/systemd/system/lensfs.service; do test -s $file; done
echo 'freshness: 1s' >>/etc/lensfs/config.yaml
lensfs serve &
daemon=$!
wait_for lensfs status
exec 4</var/lib/lensfs/proc/uptime
first=$(lensfs status --json | sed -n 's/.*"workerPid": //p')
dpkg -i /${basename(deb)}
kill -USR2 $daemon
replaced() { test "$(lensfs status --json | sed -n 's/.*"workerPid": //p')" != "$first"; }
wait_for replaced
head -c 5 <&4
grep -q 'freshness: 1s' /etc/lensfs/config.yaml
(${use}) >&3
dpkg --purge lensfs
${list} >/tmp/after
mv /root/node /usr/bin/
diff /tmp/before /tmp/after`);
      expect([code, stdout], stderr).toEqual([0, expect.stringMatching(useOutput)]);
    },
    timeoutMs,
  );

  testWith(...requirements, command('lintian'))(
    'has nothing that lintian objects to',
    async () => {
      expect(await lintian).toMatchObject({ code: 0, stdout: '' });
    },
    timeoutMs,
  );

  test('has the schema of the configuration, which the file names for editors', async () => {
    const fileOf = async (path: string) => {
      const script = `dpkg-deb --fsys-tarfile ${deb} | tar -xO .${path}`;
      return (await succeed('sh', ['-c', script])).stdout;
    };
    const config = await fileOf('/etc/lensfs/config.yaml');
    const [, path = ''] = /^# yaml-language-server: \$schema=file:\/\/(\S+)\n/.exec(config) ?? [];
    expect(JSON.parse(await fileOf(path))).toEqual(configJsonSchema());
  });

  test('has the manual pages that the commands and the schema make', async () => {
    const manual = await succeed('sh', [
      '-c',
      `dpkg-deb --fsys-tarfile ${deb} | tar -xO ./usr/share/man/man5/lensfs.yaml.5.gz | gunzip`,
    ]);
    const { configKeys } = await import('../../src/config/schema.js');
    for (const { name, description } of configKeys) {
      expect(manual.stdout).toContain(`\n.TP\n\\fB${name}\\fR\n${description.slice(0, 12)}`);
    }
    expect(JSON.parse(await readFile('package.json', 'utf8')).version).toBe('0.1.0');
  });
});
