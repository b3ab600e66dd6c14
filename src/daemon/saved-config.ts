// SPDX-License-Identifier: Apache-2.0
// The configuration in force, in memory that outlives a worker: its successor goes on with it, whatever the file says
// by then.
//
// Layout: the number of the slot that counts (uint32, little-endian), then from `firstSlot` on two slots, each a length
// and JSON. A writer fills the other slot and then says that it counts, so a reader never sees half a text.
import { readSync, writeSync } from 'node:fs';
import type { Config } from '../config/schema.js';
import type { ConfigFlags } from '../config/sources.js';

export interface SavedConfig {
  /** Of the program that wrote it. */
  version: string;
  config: Config;
  /** What a reload reads again. */
  flags: ConfigFlags;
}

const wordBytes = 4;
const firstSlot = 4096;
const slotBytes = 4 * 1024 * 1024;

export function writeSavedConfig(fd: number, saved: SavedConfig): void {
  const text = Buffer.from(JSON.stringify(saved));
  const slot = 1 - readWord(fd, 0);
  writeSync(fd, text, 0, text.length, offsetOf(slot) + wordBytes);
  writeWord(fd, text.length, offsetOf(slot));
  writeWord(fd, slot, 0);
}

export function readSavedConfig(fd: number): SavedConfig {
  const offset = offsetOf(readWord(fd, 0));
  const text = Buffer.alloc(readWord(fd, offset));
  readSync(fd, text, 0, text.length, offset + wordBytes);
  return JSON.parse(text.toString()) as SavedConfig;
}

function offsetOf(slot: number): number {
  return firstSlot + slot * slotBytes;
}

/** 0 where nothing was written yet. */
function readWord(fd: number, position: number): number {
  const word = Buffer.alloc(wordBytes);
  readSync(fd, word, 0, wordBytes, position);
  return word.readUInt32LE();
}

function writeWord(fd: number, value: number, position: number): void {
  const word = Buffer.alloc(wordBytes);
  word.writeUInt32LE(value);
  writeSync(fd, word, 0, wordBytes, position);
}
