// SPDX-License-Identifier: Apache-2.0
// The control socket itself: who may listen there.
import { chmod, chown, mkdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf } from '../errors.js';
import { listen } from '../native/process.js';
import { isListening } from './client.js';
import { ControlError } from './control-error.js';
import { groupId } from './group.js';

/** For root and `control.group`. */
const socketMode = 0o660;

/**
 * Claims the socket: a live daemon's is an error, a dead one's is removed. The listening descriptor.
 *
 * NOTE: two daemons that start in the same instant on a dead one's socket can both pass the check; the lock of the
 * tree then refuses the second.
 *
 * @throws ControlError "run_dir_in_use", "no_group" or "socket_failed"
 */
export async function claimControlSocket(socketPath: string, group: string): Promise<number> {
  const gid = await groupId(group);
  await claim(socketPath);
  try {
    const socket = listen(socketPath, socketMode);
    await chown(socketPath, -1, gid);
    return socket;
  } catch (error) {
    throw cannotListen(socketPath, error);
  }
}

/**
 * Gives a socket of the service manager, which knows nothing of `control.group`, to root and that group.
 *
 * @throws ControlError "no_group" or "socket_failed"
 */
export async function grantControlSocket(socketPath: string, group: string): Promise<void> {
  const gid = await groupId(group);
  try {
    await chown(socketPath, -1, gid);
    await chmod(socketPath, socketMode);
  } catch (error) {
    // It listens elsewhere then, where its maker wanted it.
    if (codeOf(error) !== 'ENOENT') throw cannotListen(socketPath, error);
  }
}

async function claim(socketPath: string): Promise<void> {
  const directory = dirname(socketPath);
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const found = await stat(socketPath);
    if (!found.isSocket()) throw new Error('something that is no socket is in its place');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw cannotListen(socketPath, error);
  }
  if (await isListening(socketPath)) {
    const message = `A running lensfs uses "${directory}": stop it with "lensfs stop --run-dir ${directory}" or choose another --run-dir`;
    throw new ControlError('run_dir_in_use', message);
  }
  await rm(socketPath, { force: true });
}

function cannotListen(socketPath: string, error: unknown): ControlError {
  const message = `Cannot listen on "${socketPath}": ${messageOf(error)}; choose another --run-dir`;
  return new ControlError('socket_failed', message, error);
}
