// SPDX-License-Identifier: Apache-2.0
// The configuration in force, in memory that outlives a worker: its successor goes on with it, whatever the file says
// by then.
//
// Layout: the number of the slot that counts (uint32, little-endian), then from `firstSlot` on two slots, each a length
// and JSON, then a length and what native/addon/preset.h reads. A writer fills the other slot and then says that it
// counts, so a reader never sees half a text.
import { readSync, writeSync } from 'node:fs';
import type { Config } from '../config/schema.js';
import type { ConfigFlags } from '../config/sources.js';
import { presetOf } from './engine.js';

export interface SavedConfig {
  /** Of the program that wrote it. */
  version: string;
  config: Config;
  /** What a reload reads again. */
  flags: ConfigFlags;
  /** What is wrong with the configuration that is written, in whose place an earlier one is in force; a line each. */
  problems: readonly string[];
}

const wordBytes = 4;
const firstSlot = 4096;
const slotBytes = 4 * 1024 * 1024;

export function writeSavedConfig(fd: number, saved: SavedConfig): void {
  const slot = 1 - readWord(fd, 0);
  const end = writeBytes(fd, Buffer.from(JSON.stringify(saved)), offsetOf(slot));
  writeBytes(fd, presetOf(saved.config, saved.version), end);
  writeWord(fd, slot, 0);
}

export function readSavedConfig(fd: number): SavedConfig {
  const offset = offsetOf(readWord(fd, 0));
  const text = Buffer.alloc(readWord(fd, offset));
  readSync(fd, text, 0, text.length, offset + wordBytes);
  return JSON.parse(text.toString()) as SavedConfig;
}

/** A length and the bytes; the position of what comes after them. */
function writeBytes(fd: number, bytes: Buffer, position: number): number {
  writeSync(fd, bytes, 0, bytes.length, position + wordBytes);
  writeWord(fd, bytes.length, position);
  return position + wordBytes + bytes.length;
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
