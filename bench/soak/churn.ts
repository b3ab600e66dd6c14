// SPDX-License-Identifier: Apache-2.0
// Containers without end: a process makes some every second, each a cgroup with limits of its own and the
// first process of a pid namespace, changes their limits and removes them. Each reads every file again and
// again, and checks what it reads.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestCgroup } from '../../test/_support/cgroup.js';
import { isUnified } from '../../test/_support/cgroup-levels.js';
import { Guard } from '../../test/_support/guard.js';
import { PythonProcess } from '../../test/_support/python.js';

/** What has happened since the beginning. */
export interface ChurnReport {
  readonly containers: number;
  readonly changes: number;
  readonly reads: number;
  /** What was wrong with a read; at most ten. */
  readonly wrong: readonly string[];
}

const livingContainers = 40;

// args: directories of the parent in each hierarchy, files, containers per second, containers alive.
const script = `
import itertools, re
parents, files, rate, alive = args[0].split(':'), args[1].split(':'), float(args[2]), int(args[3])
unified = os.path.exists('/sys/fs/cgroup/cgroup.controllers')
limit_file = 'memory.max' if unified else 'memory.limit_in_bytes'
memory = parents[0] if unified else next(path for path in parents if '/memory/' in path)
PAGE, MIB = 4096, 1 << 20
libc.prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL

def limits_of(number):  # unlike those of any other container that is alive, in bytes
    step = number % 40000 * PAGE
    return 64 * MIB + step, 384 * MIB + step

def set_limit(name, value):
    with open(f'{memory}/{name}/{limit_file}', 'w') as file:
        file.write(str(value))

def check(path, text, allowed):
    if not text.endswith('\\n'):
        return f'{path} ends with {text[-20:]!r}'
    if path.endswith('/meminfo'):
        total = int(text.split(None, 2)[1]) * 1024
        if total not in allowed:
            return f'MemTotal is {total}, expected {allowed}'
    if path.endswith('/uptime') and not 0 <= float(text.split()[0]) < 60:
        return f'uptime is {text!r}'
    if path.endswith('/stat') and not re.match(r'cpu  \\d+ \\d+ \\d+ \\d+ ', text):
        return f'stat begins with {text[:40]!r}'
    return None

def live(number, orders, reports):
    first, second = limits_of(number)
    allowed = {first, second}
    poller = select.poll()
    poller.register(orders, select.POLLIN)
    while True:
        for path in files:
            try:
                with open(path) as file:
                    wrong = check(path, file.read(), allowed)
            except OSError as error:
                wrong = f'{path}: {error}'
            if wrong:
                os.write(reports, (json.dumps(f'container {number}: {wrong}') + '\\n').encode())
        os.write(reports, b'%d\\n' % len(files))
        if poller.poll(400):
            if os.read(orders, 1) == b'':
                os._exit(0)
            allowed = {second}

def start(number, reports):
    name = f'c{number}'
    for parent in parents:
        os.mkdir(f'{parent}/{name}')
    set_limit(name, limits_of(number)[0])
    pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for other in [pipe[1]] + [each['pipe'] for each in living]:
                os.close(other)  # or the others would never see the end of their orders
            for parent in parents:
                with open(f'{parent}/{name}/cgroup.procs', 'w') as file:
                    file.write('0')
            libc.unshare(0x20000000)  # CLONE_NEWPID
            if os.fork() == 0:
                live(number, pipe[0], reports)
            os.close(pipe[0])
            os.wait()
        finally:
            os._exit(0)
    os.close(pipe[0])
    return {'number': number, 'name': name, 'pid': pid, 'pipe': pipe[1], 'done': 0}

def change(each):
    set_limit(each['name'], limits_of(each['number'])[1])
    each['changed'] = time.monotonic()

def end(each):
    os.close(each['pipe'])
    os.waitpid(each['pid'], 0)
    for parent in parents:
        os.rmdir(f'{parent}/{each["name"]}')

reports, to_reports = os.pipe()
os.set_blocking(reports, False)
living, wrong, reads, changes, text = [], [], 0, 0, b''
begin = reported = time.monotonic()
stopping = select.poll()
stopping.register(sys.stdin, select.POLLIN)
for number in itertools.count():
    if stopping.poll(max(0, (begin + number / rate - time.monotonic()) * 1000)):
        break
    living.append(start(number, to_reports))
    if len(living) > alive // 2:
        change(living[-alive // 2])
        changes += 1
    for each in living:
        if 'changed' in each and time.monotonic() > each['changed'] + 0.5:
            os.write(each['pipe'], b'.')  # from now on only the second limit is right
            del each['changed']
    if len(living) > alive:
        end(living.pop(0))
    try:
        text += os.read(reports, 1 << 20)
    except BlockingIOError:
        pass
    *lines, text = text.split(b'\\n')
    for line in lines:
        value = json.loads(line)
        if isinstance(value, int):
            reads += value
        else:
            wrong.append(value)
    if time.monotonic() > reported + 1:
        reported += 1
        reply({'containers': number, 'changes': changes, 'reads': reads, 'wrong': wrong[:10]})
for each in living:
    end(each)
reply(None)
`;

/** The running process; disposing removes all its containers. */
export class Churn implements AsyncDisposable {
  readonly #process: PythonProcess;
  readonly #guard: Guard;

  private constructor(process: PythonProcess, guard: Guard) {
    this.#process = process;
    this.#guard = guard;
  }

  /** Starts to make so many containers a second; each reads these files. */
  static async start(files: readonly string[], perSecond: number): Promise<Churn> {
    const parent = await TestCgroup.create();
    const guard = new Guard('remove_cgroups "$1"', parent.path);
    // A v1 cpuset takes no process before it has been given CPUs.
    const directories = parent.directories.filter((path) => !path.includes('/cpuset/'));
    if (isUnified) {
      for (const directory of directories) {
        await writeFile(join(directory, 'cgroup.subtree_control'), '+memory +cpu');
      }
    }
    const args = [directories.join(':'), files.join(':'), `${perSecond}`, `${livingContainers}`];
    return new Churn(new PythonProcess(script, { args }), guard);
  }

  /** The next report, one each second. */
  async next(): Promise<ChurnReport> {
    return await this.#process.next<ChurnReport>();
  }

  /** Ends all containers. */
  async stop(): Promise<void> {
    this.#process.go();
    while ((await this.#process.next<ChurnReport | null>()) !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await this.#guard[Symbol.asyncDispose]();
  }
}
