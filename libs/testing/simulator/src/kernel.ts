import type { Random } from './random.js';
import type { Violation } from './violation.js';

interface Scheduled {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

const isBefore = (a: Scheduled, b: Scheduled): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Node runs a tick that a microtask asks for when no microtask is left, and no sooner: as sure as a turn of the event loop, and far cheaper. */
const allThatFollows = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/**
 * The one thread of the simulated world: what is to happen, in the order of a time that exists here alone.
 *
 * 1. All that happens is either run from its queue, or follows from that by promises that wait for nothing outside. So the seed decides all.
 * 2. After each happening all that follows from it is let run, before the next: as between two turns of a real event loop.
 */
export class Kernel {
  readonly random: Random;
  readonly trace: string[] = [];
  readonly violations: Violation[] = [];
  now = 0;
  events = 0;
  #order = 0;
  readonly #heap: Scheduled[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  note(who: string, what: string): void {
    this.trace.push(`${String(this.now).padStart(8)} ${who.padEnd(16)} ${what}`);
  }

  /** An oracle has seen what must not be. */
  violate(invariant: string, what: string): void {
    this.violations.push({ invariant, what });
    this.note('ORACLE', `${invariant}: ${what}`);
  }

  /** Gives how to cancel it. */
  after(ms: number, run: () => void): () => void {
    const item: Scheduled = { at: this.now + Math.max(0, ms), order: this.#order++, run, isCancelled: false };
    this.#push(item);
    return () => {
      item.isCancelled = true;
    };
  }

  /** Runs until `until` holds, time or events run out, or an oracle speaks. Whether `until` held. */
  async run({ untilMs, eventsMax, until, settle }: { readonly untilMs: number; readonly eventsMax: number; readonly until: () => boolean; readonly settle: () => Promise<void> | undefined }): Promise<boolean> {
    while (this.violations.length === 0) {
      if (until()) return true;
      const item = this.#pop();
      if (!item || item.at > untilMs || this.events >= eventsMax) {
        if (item) this.#push(item);
        return false;
      }
      if (item.isCancelled) continue;
      this.now = item.at;
      this.events += 1;
      item.run();
      await allThatFollows();
      const settling = settle();
      if (!settling) continue;
      await settling;
      await allThatFollows();
    }
    return false;
  }

  #push(item: Scheduled): void {
    const heap = this.#heap;
    let index = heap.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent]!, item)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = item;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}
