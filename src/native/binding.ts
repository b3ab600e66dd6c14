// SPDX-License-Identifier: Apache-2.0
// The addon's surface, and the only place that loads it.

import { createRequire } from 'node:module';
import { codeOf, messageOf } from '../errors.js';
import type { AttachFunctions } from './attach.js';
import { builtFile } from './built-files.js';
import type { NativeExplanation } from './explanation.js';
import { awaitNative, callNative, NativeError } from './native-error.js';

export interface NativeOptions {
  procRoot: string;
  cgroupRoot: string;
  sysRoot: string;
  freshnessUsec: number;
  viewsMax: number;
  handlesMax: number;
  cpuCount: 'quota' | 'cpuset';
  cpuNumbering: 'physical' | 'virtual';
  swap: boolean;
  loadavg: boolean;
  onFailure: 'host' | 'error';
  /** Paths of virtual files; "sys/devices/system/cpu" is all of that directory. The others show the host's bytes. */
  files?: readonly string[];
  /** The last one that fits a container counts most. */
  rules?: readonly NativeRule[];
  readers: number;
  /** Whether programs may write triggers into pressure files and poll them; needs a connection that was mounted writable. */
  pressureTriggers?: boolean;
  /** How requests of new connections are to come; "classic" where "ring" does not work. */
  transport?: 'ring' | 'classic';
}

/** What is different for the containers whose container root's path fits `cgroup` (fnmatch(3)). */
export interface NativeRule {
  cgroup: string;
  /** A part that the path must have besides. */
  containerId?: string;
  freshnessUsec?: number | undefined;
  cpuCount?: NativeOptions['cpuCount'] | undefined;
  cpuNumbering?: NativeOptions['cpuNumbering'] | undefined;
  swap?: boolean | undefined;
  files?: readonly string[] | undefined;
}

/** What may change while the engine runs. */
export type LiveOptions = Pick<
  NativeOptions,
  | 'freshnessUsec'
  | 'cpuCount'
  | 'cpuNumbering'
  | 'swap'
  | 'loadavg'
  | 'onFailure'
  | 'files'
  | 'rules'
>;

export interface Fallback {
  file: string;
  cause: string;
  count: number;
  /** What the last one with this cause failed on. */
  lastError: string;
}

/** How requests come: of the shared connection, and what the pinned one lacks. */
export interface NativeTransport {
  kind: 'ring' | 'classic';
  /** Why there are no rings, though they were wanted; else empty. */
  reason: string;
  /** How many have a ring. */
  cpus: number;
  bytesPerCpu: number;
  /** Tasks that were ended while they waited: a read may have failed at that moment. */
  forced: number;
}

export interface NativeStatus {
  transport: NativeTransport;
  layout: 'v1' | 'v2' | 'hybrid';
  /** Whether a cgroup is found by its id alone: not where open_by_handle_at(2) is refused. */
  findsById: boolean;
  /** Controller name to "v1", "v2" or "none". */
  controllers: Record<string, string>;
  views: number;
  handles: number;
  heldDescriptors: number;
  /** Requests that a worker has answered for one that ended, by all workers of these mounts. */
  replays: number;
  /** Those that were not answered, because two workers had ended while they answered them. */
  refusals: number;
  /** Cgroups that are not read for now: so many workers in a row crashed or hung while they read them. */
  quarantine: { cgroup: string; deaths: number; leftSec: number }[];
  reads: number;
  renders: number;
  resolves: number;
  /** How often an ancestor's memory was read, for all views below it together. */
  memoryLevelReads: number;
  readsByFile: { file: string; outcome: string; count: number }[];
  /** Bucket k: answers that took less than 2^k µs, but not less than half of that; the last one: all longer ones too. */
  latency: { buckets: number[]; sumNsec: number };
  samplerLagUsec: number;
  samplerTookUsec: number;
  fallbacks: Fallback[];
}

/** A container root and what it may use and uses now; `null`: the host's root governs, or there is no limit. */
export interface NativeView {
  /** The name of its directory in the pinned tree; empty for the host. */
  id: string;
  /** Unlike every other view's of this engine. */
  serial: number;
  cgroup: string;
  initPid: number;
  ageSec: number;
  idleSec: number;
  reads: number;
  hits: number;
  readers: number;
  memoryLimitBytes: number | null;
  memoryTotalBytes: number | null;
  memoryUsageBytes: number | null;
  memoryAvailableBytes: number | null;
  /** The ancestor whose limit leaves less than the container root's own. */
  memoryRoomLevel: string | null;
  swapTotalBytes: number | null;
  swapUsageBytes: number | null;
  cpus: string;
  cpuCount: number;
  cpuQuota: number | null;
  userUsec: number | null;
  systemUsec: number | null;
  throttledUsec: number | null;
  tasks: number | null;
  load: number[] | null;
  pressureCpuPercent: number | null;
  pressureMemoryPercent: number | null;
  pressureIoPercent: number | null;
  hasOwnPolicy: boolean;
  problem: string;
}

/** Whose values a file shows: a process's, a cgroup's, or the calling process's. */
export interface RenderTarget {
  pid?: number;
  cgroup?: string;
}

/** Something the data plane has to say; it never waits for an answer. */
export interface NativeEvent {
  level: 'info' | 'warn' | 'error';
  code: string;
  message: string;
}

/** What outlives every worker, as descriptors of this process. */
export interface KeptDescriptors {
  /** The connections: mounted /dev/fuse descriptors. */
  shared: number;
  pinned: number;
  /** Memory for the requests that are being answered, and for what views have counted. */
  journal: number;
  /** Memory for the configuration in force. */
  config: number;
  /** The control socket, listening. */
  control: number;
  /** The lock of the tree. */
  tree: number;
}

/** The order in which the native side has them (core/base/link.h). */
const descriptorNames = ['shared', 'pinned', 'journal', 'config', 'control', 'tree'] as const;

export const descriptorCount = descriptorNames.length;

export function descriptorList(kept: KeptDescriptors): number[] {
  return descriptorNames.map((name) => kept[name]);
}

/** The reverse of `descriptorList`. */
export function descriptorsFrom(numbers: readonly number[]): KeptDescriptors {
  const entries = descriptorNames.map((name, index) => [name, numbers[index]]);
  return Object.fromEntries(entries) as KeptDescriptors;
}

export interface ServeOptions {
  kept: KeptDescriptors;
  /** The public tree. */
  tree: string;
  /** Where the shared connection is mounted. */
  shared: string;
}

/** What a worker must know besides an engine's options to answer reads. */
export interface PresetPlaces {
  /** Of this program: another one does not heed what this one has written. */
  version: string;
  runDir: string;
  tree: string;
  /** Where the shared connection is mounted. */
  shared: string;
}

interface AddonEngine {
  show(path: string, target: RenderTarget): string;
  configure(options: Partial<LiveOptions>): void;
  status(): NativeStatus;
  views(): Promise<NativeView[]>;
  explain(path: string, target: RenderTarget): NativeExplanation;
  files(): string[];
  viewName(target: RenderTarget): string | null;
  viewId(target: RenderTarget): string | null;
  serve(
    options: { fds: number[]; tree: string; shared: string },
    onEvent: (event: NativeEvent) => void,
  ): void;
  isServing(): boolean;
  stop(): Promise<void>;
}

export interface AddonLink {
  attach(engine: AddonEngine): void;
  send(message: string, value: number): void;
  close(): void;
}

/** Everything that the addon exports. */
export interface Addon extends AttachFunctions {
  Engine: new (options: NativeOptions) => AddonEngine;
  WorkerLink: new (runDir: string, listener: (event: string, value: number) => void) => AddonLink;
  mountConnection(path: string, writable: boolean): number;
  unmount(path: string): void;
  stageTree(tree: string, leaves: readonly string[], proc: string, sys: string): void;
  settleLayer(tree: string, proc: string, sys: string): void;
  removeTree(tree: string): void;
  lockTree(tree: string): number;
  isTree(tree: string): boolean;
  isOnTop(tree: string, connection: string): boolean;
  countLayers(tree: string): number;
  isConnected(fd: number): boolean;
  makeMemory(name: string): number;
  listen(path: string, mode: number): number;
  enterHostCgroups(procRoot: string): void;
  become(command: readonly string[], fds: readonly number[]): void;
  /** `link` is -1 when no worker serves; `worker` is 0 when it is the peer of the link's connection. */
  takeOver(path: string): { link: number; worker: number; fds: number[] } | undefined;
  packPreset(options: NativeOptions, where: PresetPlaces): Buffer;
  firstWorkerFd: number;
  peerOf(fd: number): { pid: number; uid: number; gid: number } | null;
}

/**
 * The data plane: renders virtual files and serves them through FUSE on its own threads.
 *
 * @example
 * await using engine = NativeEngine.open(options);
 * process.stdout.write(engine.show('proc/meminfo', { pid: 1234 }));
 */
export class NativeEngine implements AsyncDisposable {
  readonly #engine: AddonEngine;

  private constructor(engine: AddonEngine) {
    this.#engine = engine;
  }

  /** @throws NativeError "addon_missing", "addon_broken", or an errno's name when there are no cgroups to read */
  static open(options: NativeOptions): NativeEngine {
    const addon = loadAddon();
    return new NativeEngine(callNative(() => new addon.Engine(options)));
  }

  /** @throws NativeError "ENOENT" for a file not in `files()`, "ESRCH" for a process that is gone */
  show(path: string, target: RenderTarget): string {
    return callNative(() => this.#engine.show(path, target));
  }

  /**
   * The name of a view's directory in "views" of the shared tree, and of the link to it in the pinned one.
   *
   * @throws NativeError "ESRCH" for a process that is gone, "ENOENT" for a path that is no cgroup, "no_view" for the
   *   root cgroup, which is the host's
   */
  viewName(target: RenderTarget): string {
    return expectView(
      target,
      callNative(() => this.#engine.viewName(target)),
    );
  }

  /**
   * The name of a view's directory in the pinned tree, by its cgroup's id: another cgroup of the same path has another.
   *
   * @throws NativeError as {@link viewName}
   */
  viewId(target: RenderTarget): string {
    return expectView(
      target,
      callNative(() => this.#engine.viewId(target)),
    );
  }

  configure(options: Partial<LiveOptions>): void {
    callNative(() => this.#engine.configure(options));
  }

  status(): NativeStatus {
    return callNative(() => this.#engine.status());
  }

  /** Every view that is known, with what its cgroup says now; read on another thread. */
  async views(): Promise<NativeView[]> {
    return await awaitNative(() => this.#engine.views());
  }

  /** @throws NativeError as `show` */
  explain(path: string, target: RenderTarget): NativeExplanation {
    return callNative(() => this.#engine.explain(path, target));
  }

  /** The paths that `show` accepts and a mount serves, such as "proc/meminfo". */
  files(): string[] {
    return callNative(() => this.#engine.files());
  }

  /**
   * Answers what a predecessor on the same descriptors has left unanswered, and then all reads, on threads of its own.
   * The descriptors stay open when it stops.
   *
   * @throws NativeError with the errno's name of what failed
   */
  serve({ kept, tree, shared }: ServeOptions, onEvent: (event: NativeEvent) => void): void {
    const fds = descriptorList(kept);
    callNative(() => this.#engine.serve({ fds, tree, shared }, onEvent));
  }

  /** Whether reads are answered already: a worker begins with that before it has JavaScript. */
  get isServing(): boolean {
    return callNative(() => this.#engine.isServing());
  }

  /** Lets a keeper ask after this data plane, and end it. */
  attachTo(link: AddonLink): void {
    callNative(() => link.attach(this.#engine));
  }

  /** Joins every thread; what is mounted stays. May be called more than once. */
  async stop(): Promise<void> {
    await awaitNative(() => this.#engine.stop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** All that a worker must know to answer reads, as bytes that it reads before it has JavaScript. */
export function packPreset(options: NativeOptions, where: PresetPlaces): Buffer {
  return callNative(() => loadAddon().packPreset(options, where));
}

/** Who is at the other end of a unix socket, as of the connect; `null` for anything else. */
export function peerOf(fd: number): { pid: number; uid: number; gid: number } | null {
  return loadAddon().peerOf(fd);
}

const buildAdvice = '"npm run build" in a checkout, "npm rebuild lensfs" in an installation';

export const addonPath = builtFile('addon.node');

/** @throws NativeError "addon_missing" or "addon_broken" */
export function loadAddon(): Addon {
  try {
    return createRequire(import.meta.url)(addonPath) as Addon;
  } catch (error) {
    if (codeOf(error) === 'MODULE_NOT_FOUND') {
      throw new NativeError('addon_missing', `No addon at "${addonPath}": ${buildAdvice}`, error);
    }
    const reason = messageOf(error);
    throw new NativeError('addon_broken', `Cannot load "${addonPath}": ${reason}`, error);
  }
}

function expectView(target: RenderTarget, name: string | null): string {
  if (name !== null) return name;
  const who = target.pid === undefined ? `"${target.cgroup}"` : `process ${target.pid}`;
  const reason = 'the root cgroup is the host’s, expected one below it';
  throw new NativeError('no_view', `Cannot find a view of ${who}: ${reason}`);
}
