// SPDX-License-Identifier: Apache-2.0
// Serves proc/meminfo below the directory it is given, until SIGTERM. JavaScript, so that plain node
// runs it: whatever compiles in the process would be part of what is measured.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const Fuse = createRequire(import.meta.url)('fuse-native');

const content = readFileSync('/proc/meminfo');
const now = new Date();

/** @param {number} mode @param {number} size */
const attributes = (mode, size) => ({
  ...{ mode, size, uid: 0, gid: 0, nlink: 1 },
  ...{ mtime: now, atime: now, ctime: now },
});

const nodes = new Map([
  ['/', attributes(0o40555, 0)],
  ['/proc', attributes(0o40555, 0)],
  ['/proc/meminfo', attributes(0o100444, content.length)],
]);

const operations = {
  getattr: (path, reply) => {
    const found = nodes.get(path);
    return found === undefined ? reply(Fuse.ENOENT) : reply(0, found);
  },
  open: (_path, _flags, reply) => reply(0, 1),
  read: (_path, _handle, buffer, length, position, reply) =>
    reply(content.copy(buffer, 0, position, position + length)),
  release: (_path, _handle, reply) => reply(0),
};

// It has no option for direct_io, without which the kernel answers kept descriptors itself, for ever:
// libfuse takes it behind another one.
const fuse = new Fuse(process.argv[2], operations, { force: true, umask: '0,direct_io' });
fuse.mount((error) => {
  if (error) throw error;
});
process.on('SIGTERM', () => fuse.unmount(() => process.exit(0)));
