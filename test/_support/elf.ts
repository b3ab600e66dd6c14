// SPDX-License-Identifier: Apache-2.0
// What an ELF file of 64 bits says of how it is loaded (elf(5)); little-endian only.

export interface Elf {
  machine: 'x64' | 'arm64' | 'other';
  /** ET_DYN: loaded at another address each time. */
  isPositionIndependent: boolean;
  /** The program that loads it; undefined for one that is static, or a library. */
  interpreter: string | undefined;
  hasRelro: boolean;
  hasExecutableStack: boolean;
  /** All symbols are looked up before it runs, so that RELRO covers their table. */
  isBoundAtStart: boolean;
  /** The bytes of segments that may be executed. */
  code: Buffer;
  /** Whether some segment may be written and executed. */
  hasWritableCode: boolean;
}

const types = { load: 1, dynamic: 2, interpreter: 3, stack: 0x6474e551, relro: 0x6474e552 };
const tags = { bindNow: 24, flags: 30, flags1: 0x6ffffffb };
const may = { execute: 1, write: 2 };

interface Segment {
  type: number;
  flags: number;
  bytes: Buffer;
}

function segmentsOf(file: Buffer): Segment[] {
  const offset = Number(file.readBigUInt64LE(32));
  const [size, count] = [file.readUInt16LE(54), file.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => {
    const header = file.subarray(offset + index * size);
    const start = Number(header.readBigUInt64LE(8));
    const length = Number(header.readBigUInt64LE(32));
    return {
      type: header.readUInt32LE(0),
      flags: header.readUInt32LE(4),
      bytes: file.subarray(start, start + length),
    };
  });
}

/** The values of the dynamic section by tag; of several with one tag the last. */
function dynamicOf(segments: readonly Segment[]): Map<number, bigint> {
  const bytes = segments.find(({ type }) => type === types.dynamic)?.bytes ?? Buffer.alloc(0);
  const entries = new Map<number, bigint>();
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    entries.set(Number(bytes.readBigInt64LE(at)), bytes.readBigUInt64LE(at + 8));
  }
  return entries;
}

/** @throws {Error} for what is no ELF file of 64 bits */
export function parseElf(file: Buffer): Elf {
  if (!file.subarray(0, 6).equals(Buffer.from('\x7fELF\x02\x01', 'latin1'))) {
    throw new Error('Expected an ELF file of 64 bits');
  }
  const segments = segmentsOf(file);
  const find = (wanted: number) => segments.find(({ type }) => type === wanted);
  const dynamic = dynamicOf(segments);
  const flags = dynamic.get(tags.flags) ?? 0n;
  const flags1 = dynamic.get(tags.flags1) ?? 0n;
  const loaded = segments.filter(({ type }) => type === types.load);
  const executable = loaded.filter((segment) => (segment.flags & may.execute) !== 0);
  const machines = new Map<number, Elf['machine']>([
    [62, 'x64'],
    [183, 'arm64'],
  ]);
  return {
    machine: machines.get(file.readUInt16LE(18)) ?? 'other',
    isPositionIndependent: file.readUInt16LE(16) === 3,
    interpreter: find(types.interpreter)?.bytes.toString('latin1').replace('\0', ''),
    hasRelro: find(types.relro) !== undefined,
    hasExecutableStack: ((find(types.stack)?.flags ?? may.execute) & may.execute) !== 0,
    isBoundAtStart: dynamic.has(tags.bindNow) || (flags & 8n) !== 0n || (flags1 & 1n) !== 0n,
    code: Buffer.concat(executable.map(({ bytes }) => bytes)),
    hasWritableCode: executable.some((segment) => (segment.flags & may.write) !== 0),
  };
}

/** How often a sequence of bytes, in hexadecimal digits, is in others. */
export function countBytes(bytes: Buffer, hex: string): number {
  const wanted = Buffer.from(hex, 'hex');
  let count = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) ++count;
  return count;
}
