// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { planOwnCgroup } from '../../src/daemon/own-cgroup.js';

const v2 = '35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
const v1 = [
  '30 22 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw',
  '31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
  '33 30 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset',
  '34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
  '39 30 0:36 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
  '40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
].join('\n');
const pod = '/kubepods/pod1/c1';

function plan(mountinfo: string, cgroup: string) {
  const plans = planOwnCgroup(mountinfo, cgroup, '/lensfs');
  return Object.fromEntries(plans.map(({ directory, from }) => [directory, from]));
}

describe('planOwnCgroup()', () => {
  test('leaves the one hierarchy of cgroup v2', () => {
    expect(plan(v2, `0::${pod}\n`)).toEqual({
      '/sys/fs/cgroup/lensfs': `/sys/fs/cgroup${pod}`,
    });
  });

  test('leaves every hierarchy of cgroup v1, those without limits for the root', () => {
    const cgroup = ['9:name=systemd', '4:memory', '3:cpuset', '1:cpu,cpuacct', '0:']
      .map((start) => `${start}:${pod}\n`)
      .join('');
    expect(plan(v1, cgroup)).toEqual({
      '/sys/fs/cgroup/systemd': `/sys/fs/cgroup/systemd${pod}`,
      '/sys/fs/cgroup/memory/lensfs': `/sys/fs/cgroup/memory${pod}`,
      '/sys/fs/cgroup/cpuset': `/sys/fs/cgroup/cpuset${pod}`,
      '/sys/fs/cgroup/cpu,cpuacct/lensfs': `/sys/fs/cgroup/cpu,cpuacct${pod}`,
      '/sys/fs/cgroup/unified/lensfs': `/sys/fs/cgroup/unified${pod}`,
    });
  });

  test('takes of several mounts the one on top, and none that shows a part only', () => {
    const part = '20 19 0:30 /kubepods/pod1/c1 /part rw - cgroup2 cgroup2 rw';
    const under = '21 19 0:30 / /other rw - cgroup2 cgroup2 rw';
    expect(plan([under, v2, part].join('\n'), `0::${pod}`)).toHaveProperty('/sys/fs/cgroup/lensfs');
    expect(plan(part, `0::${pod}`)).toEqual({});
  });

  test('ignores lines that are none of the kernel’s', () => {
    expect(plan('what\n', 'is\nthis::\n0:memory')).toEqual({});
  });

  test('writes the period of a quota before the quota', () => {
    const plans = planOwnCgroup(v1, `1:cpu,cpuacct:${pod}`, '/lensfs');
    expect(plans[0]?.limits).toEqual(['cpu.cfs_period_us', 'cpu.cfs_quota_us', 'cpu.shares']);
  });
});
