// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

const host_diskstats =
  '   8       0 sda 30846 8980 1547122 8494 8711 6534 1968008 5493 0 4648 14382\n' +
  ' 254       0 vda 30846 8980 1547122 8494 8711 6534 1968008 5493 0 4648 14382 4826 58 258232 362 1055 51\n';

/** Hosts that have read from a disk. */
const captured = capturedTexts(/:proc\/diskstats$/).filter(({ text }) =>
  core.parseDiskStats(text).some(({ reads }) => reads > 0n),
);

describe('RenderDiskStats()', () => {
  it('prints the layout and the columns of the host', () => {
    const io = { rios: 3, rbytes: 5120, wios: 4, wbytes: 2048, dios: 1, dbytes: 512 };
    const devices = [
      { major: 8, minor: 0, ...io },
      { major: 254, minor: 0, ...io },
    ];
    expect(core.renderDiskStats({ host_diskstats, devices })).toBe(
      '   8       0 sda 3 0 10 0 4 0 4 0 0 0 0\n' +
        ' 254       0 vda 3 0 10 0 4 0 4 0 0 0 0 1 0 1 0 0 0\n',
    );
  });

  it('has devices without any I/O, with all columns 0', () => {
    const devices = [{ major: 8, minor: 0 }];
    expect(core.renderDiskStats({ host_diskstats, devices })).toBe(
      `   8       0 sda${' 0'.repeat(11)}\n 254       0 vda${' 0'.repeat(17)}\n`,
    );
  });

  it.each(captured)('repeats the names of $name', ({ text }) => {
    const host = core.parseDiskStats(text);
    const busy = host.filter(({ reads }) => reads > 0n);
    const devices = busy.map(({ major, minor }) => ({ major, minor, rios: 1 }));
    const rendered = core.renderDiskStats({ host_diskstats: text, devices });

    const layout = (lines: string) => lines.match(/^ *\d+ +\d+ \S+/gm) ?? [];
    expect(layout(rendered)).toEqual(layout(text));
    const rows = core.parseDiskStats(rendered);
    for (const row of rows) expect(row.value_count).toBe(17);
    expect(rows.filter(({ reads }) => reads > 0n)).toHaveLength(busy.length);
  });
});
