// SPDX-License-Identifier: Apache-2.0
// What the control socket is answered with.
import { entriesOf, parseConfig, problemsText, withKeys } from '../config/parse.js';
import { type Config, configKeys } from '../config/schema.js';
import { configTexts } from '../config/texts.js';
import type { Outcome, ReloadReply, StatusReply, ViewReply } from '../control/protocol.js';
import type { ControlHandlers } from '../control/server.js';
import { describeMetrics } from '../metrics/metrics.js';
import { formatMetrics } from '../metrics/prometheus.js';
import type { NativeEngine, NativeView, RenderTarget } from '../native/binding.js';
import { NativeError } from '../native/native-error.js';
import { type RuntimeDirectories, readContainerName } from './container-names.js';
import { explainNow } from './explain-now.js';

/** The id of the host itself, which no container root can have. */
const hostId = '=';

/** What the handlers need of the daemon. */
export interface HandlerContext {
  engine: NativeEngine;
  runtimes: RuntimeDirectories;
  status: () => StatusReply;
  /** The configuration in force. */
  config: () => Config;
  reloads: () => { done: number; refused: number };
  reload: () => Promise<Outcome<ReloadReply>>;
  /** Puts a configuration in force of which only live keys differ. */
  change: (config: Config) => Promise<ReloadReply>;
  stop: () => Promise<void>;
}

export function createHandlers(context: HandlerContext): ControlHandlers {
  const { engine } = context;
  const views = async () => await namedViews(await engine.views(), context.runtimes);
  return {
    status: async () => ok(context.status()),
    views: async () => ok({ views: await views() }),
    view: async ({ params: { id } }) => {
      const found = (await views()).find((view) => view.id === id);
      if (found !== undefined) return ok(found);
      return notFound(`No view "${id}": "lensfs views" lists them`);
    },
    files: async () => ok({ files: engine.files() }),
    file: async ({ params, query }) =>
      render(engine, params['*'], query, (file, target) => engine.show(file, target)),
    explain: async ({ params, query }) =>
      render(engine, params['*'], query, (file, target) => explainNow(engine, file, target)),
    config: async () => ok({ config: configTexts(context.config()), live: liveKeys() }),
    changeConfig: async ({ body }) => {
      const changed = changeConfig(context.config(), body as Record<string, unknown>);
      return changed.ok ? ok(await context.change(changed.reply)) : changed;
    },
    reload: () => context.reload(),
    metrics: async () => ok(writeMetrics(context)),
    stop: async () => {
      await context.stop();
      return ok({ stopped: true });
    },
  };
}

/** The text of /v1/metrics. */
export function writeMetrics({ engine, status, reloads }: HandlerContext): string {
  const { user, system } = process.cpuUsage();
  const measured = {
    ...status(),
    ...engine.status(),
    files: engine.files(),
    uptimeSec: process.uptime(),
    reloads: reloads(),
    residentBytes: process.memoryUsage.rss(),
    cpuUsec: user + system,
  };
  return formatMetrics(describeMetrics(measured));
}

function ok<T>(reply: T): Outcome<T> {
  return { ok: true, reply };
}

function notFound<T>(message: string): Outcome<T> {
  return { ok: false, code: 'not_found', message };
}

async function namedViews(
  views: readonly NativeView[],
  runtimes: RuntimeDirectories,
): Promise<ViewReply[]> {
  return await Promise.all(
    views.map(async ({ serial: _, id, ...view }) => ({
      ...view,
      id: id === '' ? hostId : id,
      name: (await readContainerName(view.cgroup, runtimes))?.name ?? null,
    })),
  );
}

interface TargetQuery {
  pid?: string | undefined;
  cgroup?: string | undefined;
  view?: string | undefined;
}

function render<T>(
  engine: NativeEngine,
  file: string,
  query: TargetQuery,
  make: (file: string, target: RenderTarget) => T,
): Outcome<T> {
  const files = engine.files();
  if (!files.includes(file))
    return notFound(`No virtual file "${file}": one of ${files.join(', ')}`);
  try {
    return ok(make(file, targetOf(query)));
  } catch (error) {
    if (!(error instanceof NativeError)) throw error;
    const isGone = ['ESRCH', 'ENOENT', 'ESTALE', 'EINVAL', 'ENODEV'].includes(error.code);
    if (!isGone) throw error;
    return notFound(`${describeTarget(query)}: ${error.message}`);
  }
}

function targetOf({ pid, cgroup, view }: TargetQuery): RenderTarget {
  if (pid !== undefined) return { pid: Number(pid) };
  return { cgroup: cgroup ?? cgroupOf(view ?? hostId) };
}

/** The container root's path that a view's id is made of. */
function cgroupOf(id: string): string {
  if (id === hostId) return '/';
  return `/${id.replaceAll('=', '/').replaceAll('%3D', '=').replaceAll('%25', '%')}`;
}

function describeTarget({ pid, cgroup, view }: TargetQuery): string {
  if (pid !== undefined) return `Cannot find process ${pid}`;
  return cgroup === undefined ? `Cannot find view "${view}"` : `Cannot find cgroup "${cgroup}"`;
}

function liveKeys(): string[] {
  return configKeys.filter(({ live }) => live).map(({ name }) => name);
}

function changeConfig(config: Config, body: Record<string, unknown>): Outcome<Config> {
  const entries = entriesOf(body, 'request');
  const parsed = parseConfig(entries);
  if (!parsed.ok) {
    return { ok: false, code: 'invalid_configuration', message: problemsText(parsed.problems) };
  }
  const keys = configKeys.filter(({ name }) => entries.some(({ key }) => key === name));
  const fixed = keys.filter(({ live }) => !live).map(({ name }) => name);
  if (fixed.length > 0) {
    const message = `${fixed.join(', ')}: takes effect only after a restart, expected one of ${liveKeys().join(', ')}`;
    return { ok: false, code: 'invalid_configuration', message };
  }
  return ok(withKeys(config, parsed.config, keys));
}
