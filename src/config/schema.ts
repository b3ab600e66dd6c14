// SPDX-License-Identifier: Apache-2.0
// The one description of the configuration: keys, values, defaults, and what may change live.
import { normalize } from 'node:path';
import { logLevels } from '../log-levels.js';
import { z } from '../zod.js';
import { controlSocketName } from './paths.js';
import { profilesSchema } from './profiles.js';
import { virtualFiles } from './virtual-files.js';

/** Where the configuration file is when no flag names another. */
export const defaultConfigFile = '/etc/lensfs/config.yaml';

/** The public tree: what people mount into containers. */
export const defaultTree = '/var/lib/lensfs';

/** A span of time in the unit the data plane counts in. */
export interface Duration {
  readonly usec: number;
}

// Room for the socket's name and the final NUL in sockaddr_un's 108 bytes.
const maxRunDirBytes = 107 - (controlSocketName.length + 1);

const usecPerUnit: Record<string, number> = { us: 1, ms: 1_000, s: 1_000_000 };

interface KeyNotes {
  /** What a value must be, as the end of the sentence "expected ...". */
  expected: string;
  description: string;
  /** Takes effect on reload; other keys need a restart. */
  live?: boolean;
}

const onOrOff = z.union([
  z.boolean(),
  z.stringbool({ truthy: ['on', 'true', 'yes'], falsy: ['off', 'false', 'no'] }),
]);

const cpuCount = z.enum(['quota', 'cpuset']);
const cpuNumbering = z.enum(['physical', 'virtual']);

const files = z.union([
  z.literal('all').transform(() => [...virtualFiles]),
  z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(virtualFiles))),
  z.array(z.enum(virtualFiles)),
]);

export const configSchema = z
  .strictObject({
    tree: path('Directory the virtual files appear in', defaultTree),
    run_dir: noted(z.string().refine(isRunDir).transform(trimPath).prefault('/run/lensfs'), {
      expected: `an absolute path of at most ${maxRunDirBytes} bytes`,
      description: 'Directory of the control socket',
    }),
    freshness: duration('10ms', 'How long rendered bytes are reused; 0 renders at every open', {
      live: true,
    }),
    cpu: section({
      count: choice(['quota', 'cpuset'], {
        description: 'Whether a CPU quota lowers the number of CPUs seen',
        live: true,
      }),
      numbering: choice(['physical', 'virtual'], {
        description: "Whether CPUs keep the host's numbers or count from 0",
        live: true,
      }),
    }),
    swap: flag('Whether containers see swap'),
    files: noted(files.prefault('all'), {
      expected: `all, or a list of ${virtualFiles.join(', ')}`,
      description: "Files with values of the container's own; the others show the host's",
      live: true,
    }),
    loadavg: flag('Whether load averages are computed per container'),
    on_failure: choice(['host', 'error'], {
      description: "What a reader gets when a view cannot be built: the host's bytes, or EIO",
      live: true,
    }),
    profiles: noted(
      profilesSchema({
        count: cpuCount,
        numbering: cpuNumbering,
        swap: onOrOff,
        files,
        freshness: z.union([z.string(), z.number()]).transform(toDuration),
      }).prefault([]),
      {
        expected: 'a list of mappings, in a configuration file',
        description:
          'Containers with other values than the rest, by match.cgroup, match.name or match.label',
        live: true,
      },
    ),
    views: section({ max: integer(16, 65_536, 4_096, 'Most containers remembered at once') }),
    handles: section({ max: integer(16, 1_048_576, 16_384, 'Most files open at once') }),
    workers: section({
      deaths: integer(1, 1_000_000, 5, 'Deaths of workers within workers.window that are too many'),
      window: duration(
        '10s',
        'Time in which workers.deaths are too many: then containers see host values; time without a healthy worker is left out',
      ),
    }),
    standby: noted(onOrOff.prefault('off'), {
      expected: 'on or off',
      description: 'Whether a second worker waits, so that a crash costs milliseconds',
    }),
    seccomp: noted(onOrOff.prefault('on'), {
      expected: 'on or off',
      description: 'Whether lensfs refuses itself the system calls that it has no use for',
    }),
    // Reads per second of meminfo with 1, 2 and 4 threads on two CPUs (bench, "readers"): opened each
    // time 14,029, 12,615, 10,888 by one client and 20,042, 17,204, 15,823 by 16; kept open 36,344,
    // 40,954, 36,004 by one client and 67,422, 60,719, 61,285 by 16.
    readers: integer(1, 16, 1, 'Threads that answer reads'),
    transport: choice(['auto', 'ring', 'classic'], {
      description:
        'How reads come from the kernel; ring is FUSE over io_uring, auto is that where it works',
    }),
    ring: section({
      enable_module: noted(onOrOff.prefault('off'), {
        expected: 'on or off',
        description: "Whether lensfs may switch on the kernel's parameter fuse.enable_uring",
      }),
    }),
    pressure: section({
      triggers: noted(onOrOff.prefault('off'), {
        expected: 'on or off',
        description:
          'Whether programs may write triggers into pressure files and poll them; a poll can delay a suspend',
      }),
    }),
    control: section({
      group: noted(
        z
          .string()
          .regex(/^[a-z_][a-z0-9_-]*$|^\d{1,9}$/)
          .prefault('root'),
        {
          expected: 'the name or number of a group',
          description: 'Group that may use the control socket, besides root',
        },
      ),
    }),
    metrics: section({
      listen: noted(z.string().refine(isListenAddress).prefault('off'), {
        expected: 'off, or an address and port such as 127.0.0.1:9910',
        description: 'TCP address that answers GET /metrics, besides the control socket',
      }),
    }),
    log: section({
      level: noted(z.enum(logLevels).prefault('info'), {
        expected: oneOf(logLevels),
        description: 'Least severe message that is logged',
        live: true,
      }),
    }),
    roots: section({
      proc: path("The host's procfs", '/proc'),
      cgroup: path("The host's cgroup file systems", '/sys/fs/cgroup'),
      sys: path("The host's sysfs", '/sys'),
      docker: noted(z.string().refine(isAutoOrPath).transform(trimPath).prefault('auto'), {
        expected: 'auto, or an absolute path',
        description:
          "Docker's data-root, where names and labels are; auto takes that of /etc/docker/daemon.json",
      }),
    }),
  })
  .superRefine((config, context) => {
    if (isBelow(config.run_dir, config.tree)) {
      const params = { expected: 'a directory outside of tree' };
      context.addIssue({ code: 'custom', path: ['run_dir'], input: config.run_dir, params });
    }
  });

/** One entry of the list `profiles`. */
export type Profile = Config['profiles'][number];

/** A valid configuration, every key present; keys are spelled as in the file. */
export type Config = z.output<typeof configSchema>;

/** One key of the configuration, such as "cpu.count". */
export interface ConfigKey {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly expected: string;
  readonly description: string;
  readonly live: boolean;
}

/** Every key, in the order of the schema. */
export const configKeys: readonly ConfigKey[] = listKeys(configSchema, '');

function listKeys(object: z.ZodObject, prefix: string): ConfigKey[] {
  return Object.entries(object.shape).flatMap(([key, schema]) => {
    const name = prefix + key;
    const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema;
    if (inner instanceof z.ZodObject) return listKeys(inner, `${name}.`);
    const { expected, description, live } = (schema as z.ZodType).meta() as unknown as KeyNotes;
    return [{ name, schema: schema as z.ZodType, expected, description, live: live === true }];
  });
}

function noted<T extends z.ZodType>(schema: T, notes: KeyNotes): T {
  return schema.meta({ ...notes });
}

function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape).prefault({} as never);
}

function choice<const T extends readonly [string, ...string[]]>(
  values: T,
  notes: Omit<KeyNotes, 'expected'>,
) {
  const schema = z.enum(values).prefault(values[0] as never);
  return noted(schema, { ...notes, expected: oneOf(values) });
}

function flag(description: string) {
  return noted(onOrOff.prefault('on'), {
    expected: 'on or off',
    description,
    live: true,
  });
}

function integer(min: number, max: number, fallback: number, description: string) {
  const text = z.string().regex(/^\d{1,9}$/);
  const schema = z.union([z.int(), text.transform(Number)]).pipe(z.int().min(min).max(max));
  return noted(schema.prefault(fallback), {
    expected: `an integer from ${min} to ${max}`,
    description,
  });
}

function duration(fallback: string, description: string, { live = false } = {}) {
  return noted(z.union([z.string(), z.number()]).transform(toDuration).prefault(fallback), {
    expected: `a duration from 0 to 60s, such as ${fallback}`,
    description,
    live,
  });
}

function path(description: string, fallback: string) {
  return noted(z.string().refine(isAbsolutePath).transform(trimPath).prefault(fallback), {
    expected: 'an absolute path',
    description,
  });
}

function toDuration(value: string | number, context: z.RefinementCtx): Duration {
  const match = /^(\d{1,9}(?:\.\d{1,6})?)(us|ms|s)$|^0$/.exec(String(value));
  const usec = match === null ? Number.NaN : durationUsec(match[1] ?? '0', match[2] ?? 's');
  if (usec <= 60 * 1_000_000) return { usec };
  context.addIssue({ code: 'custom', message: 'not a duration' });
  return z.NEVER;
}

function durationUsec(number: string, unit: string): number {
  return Math.round(Number(number) * (usecPerUnit[unit] ?? Number.NaN));
}

function isAbsolutePath(value: string): boolean {
  return value.startsWith('/') && !value.includes('\0');
}

function isAutoOrPath(value: string): boolean {
  return value === 'auto' || isAbsolutePath(value);
}

function isListenAddress(value: string): boolean {
  const port = /^(?:\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(value)?.[1];
  return value === 'off' || (port !== undefined && Number(port) <= 65_535);
}

function isRunDir(value: string): boolean {
  return isAbsolutePath(value) && Buffer.byteLength(trimPath(value)) <= maxRunDirBytes;
}

function trimPath(value: string): string {
  const normal = normalize(value);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

function oneOf(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
