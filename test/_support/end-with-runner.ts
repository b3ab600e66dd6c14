// SPDX-License-Identifier: Apache-2.0
// Set up before each file: a worker whose runner was killed ends, and with it the daemons and
// containers that it started. By itself it goes on, reports to nobody, and reports that.

const name = 'endWithRunner';

if (!process.listeners('disconnect').some((listener) => listener.name === name)) {
  const endWithRunner = () => process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', endWithRunner);
}
