// SPDX-License-Identifier: Apache-2.0
// What systemd does for the service, where systemd is not there: a notify socket with a store of descriptors, LISTEN_FDS,
// and Restart=always.

// args: a directory, the service's command line. Ends the service when it is told to end.
const script = `
import array, os, signal, socket, subprocess, sys, threading
directory, command = sys.argv[1], sys.argv[2:]
path = directory + '/notify'
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
store, service, is_ending = {}, None, False
def end(*_):
    global is_ending
    is_ending = True
    if service is not None:
        service.terminate()
def receive():
    while True:
        data, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(64))
        fields = dict(field.split('=', 1) for field in data.decode().split('\\n') if '=' in field)
        for _, _, fds in ancillary:
            fd = list(memoryview(fds).cast('i'))[0]
            old = store.get(fields['FDNAME'])
            store[fields['FDNAME']] = fd
            if old is not None:
                os.close(old)
signal.signal(signal.SIGTERM, end)
threading.Thread(target=receive, daemon=True).start()
while not is_ending:
    pass_on, fds = 'LISTEN_PID=$$ exec "$@"', []
    for number, name in enumerate(store, 3):
        copy = os.dup(store[name])
        high = os.dup2(copy, 100 + number)
        os.close(copy)
        pass_on = f'exec {number}<&{high} {high}<&-; ' + pass_on
        fds.append(high)
    env = dict(os.environ, NOTIFY_SOCKET=path, LISTEN_FDS=str(len(store)), LISTEN_FDNAMES=':'.join(store))
    end_with_this = ['setpriv', '--pdeathsig', 'TERM']
    service = subprocess.Popen(end_with_this + ['bash', '-c', pass_on, 'bash', *command], pass_fds=fds, env=env)
    for fd in fds:
        os.close(fd)
    if is_ending:
        service.terminate()
    service.wait()
`;

/** A prefix of the service's command line; the service is to leave its mounts when it stops. */
export function serviceManager(directory: string): string[] {
  return ['python3', '-c', script, directory];
}
