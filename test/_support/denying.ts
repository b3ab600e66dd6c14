// SPDX-License-Identifier: Apache-2.0
// Programs that may not make a system call, as under a container runtime's seccomp filter.

/** Numbers on this machine. */
const isArm = process.arch === 'arm64';
export const syscalls = {
  io_uring_setup: 425,
  open_by_handle_at: isArm ? 265 : 304,
  seccomp: isArm ? 277 : 317,
};

// Refuses it with EPERM (seccomp(2)) to the program that follows and to its children.
const script = `
import ctypes, os, struct, sys
number = int(sys.argv[1])
rules = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *rule) for rule in rules))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', len(rules), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, program, 0, 0) == 0
os.execvp(sys.argv[2], sys.argv[2:])
`;

/** A command that runs another one without the system call. */
export function denying(number: number): string[] {
  return ['python3', '-c', script, String(number)];
}
