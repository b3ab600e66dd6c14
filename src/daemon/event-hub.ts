// SPDX-License-Identifier: Apache-2.0
// What /v1/events tells of: looked for only while somebody listens.
import type { ControlEvent, EventSource } from '../control/event-stream.js';
import type { NativeView } from '../native/binding.js';

const periodMs = 1_000;
/** Who listened to a worker that has ended comes back to its successor within that time. */
const recentMs = 60_000;

/** Passes events on, and finds those of the views by comparing them once a second. */
export class EventHub implements EventSource, Disposable {
  readonly #listeners = new Set<(event: ControlEvent) => void>();
  readonly #readViews: () => Promise<NativeView[]>;
  #views: NativeView[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #recent: { event: ControlEvent; at: number }[] = [];

  constructor(readViews: () => Promise<NativeView[]>) {
    this.#readViews = readViews;
  }

  subscribe(listener: (event: ControlEvent) => void): Disposable {
    this.#listeners.add(listener);
    this.#recent = this.#recent.filter(({ at }) => performance.now() - at < recentMs);
    for (const { event } of this.#recent) listener(event);
    this.#timer ??= setInterval(() => void this.#look(), periodMs).unref();
    void this.#look();
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this[Symbol.dispose]();
      },
    };
  }

  publish(name: string, data: Record<string, unknown>): void {
    for (const listener of this.#listeners) listener({ name, data });
  }

  /** The same, also to who listens only a little later. */
  publishForLater(name: string, data: Record<string, unknown>): void {
    this.#recent.push({ event: { name, data }, at: performance.now() });
    this.publish(name, data);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#views = undefined;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const views = await this.#readViews();
      const events = this.#views === undefined ? [] : diffViews(this.#views, views);
      if (this.#timer !== undefined) this.#views = views;
      for (const { name, data } of events) this.publish(name, data);
    } finally {
      this.#isLooking = false;
    }
  }
}

const limits = ['memoryLimitBytes', 'swapTotalBytes', 'cpus', 'cpuQuota'] as const;

/** What has happened between two looks. */
export function diffViews(
  before: readonly NativeView[],
  after: readonly NativeView[],
): ControlEvent[] {
  const old = new Map(before.map((view) => [view.serial, view]));
  const serials = new Set(after.map(({ serial }) => serial));
  return [
    ...before
      .filter(({ serial }) => !serials.has(serial))
      .map((view) => toEvent('view-removed', view)),
    ...after.filter(({ serial }) => !old.has(serial)).map((view) => toEvent('view-added', view)),
    ...after.flatMap((view) => {
      const last = old.get(view.serial);
      const changed = limits.filter((key) => last !== undefined && last[key] !== view[key]);
      if (last === undefined || changed.length === 0) return [];
      const values = changed.map((key) => [key, { before: last[key], after: view[key] }]);
      return [toEvent('limit-changed', view, Object.fromEntries(values))];
    }),
  ];
}

function toEvent(name: string, { id, cgroup }: NativeView, more: object = {}): ControlEvent {
  return { name, data: { id, cgroup, ...more } };
}
