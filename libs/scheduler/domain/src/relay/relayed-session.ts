import type { PollRequest, PollResponse, TaskEnvelope } from '@perdure/contract';
import type { TaskDesk } from '../task-desk.js';
import { shareSlots } from './share-slots.js';

export interface RelayedSessionOptions {
  readonly desks: readonly TaskDesk[];
  readonly tenant: string;
  readonly sliceOf: (token: string) => number;
}

/** The relay's own poll at one slice. */
interface Leg {
  readonly slots: number;
  /** Watches a slice that has no share: it ends when there is work. */
  readonly peek: boolean;
  readonly abort: AbortController;
}

interface Waiter {
  readonly request: PollRequest;
  readonly end: () => void;
  readonly resolve: (response: PollResponse) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One worker session, polled for at every slice.
 *
 * 1. The slots of the open legs, and the tasks that wait here for the worker's next poll, are never more than the slots of its last poll.
 *    A slice without a share is watched, and gets one as soon as it has work.
 * 2. A leg stays open over many of the worker's polls. A slice is polled anew when its leg has ended; and a leg is ended when its slots
 *    are wanted elsewhere.
 * 3. What the relay has received and not passed on counts as held. When the worker goes, it is dropped and goes back to its slice.
 */
export class RelayedSession {
  readonly #options: RelayedSessionOptions;
  readonly #legs: (Leg | undefined)[];
  #waiter: Waiter | undefined;
  #tasks: TaskEnvelope[] = [];
  #cancel: PollResponse['cancel'][number][] = [];
  /** Gets the odd slot, and the only one. */
  #favoured = 0;

  constructor(options: RelayedSessionOptions) {
    this.#options = options;
    this.#legs = options.desks.map(() => undefined);
  }

  /** Nobody polls, here or there. */
  get isIdle(): boolean {
    return !this.#waiter && this.#legs.every((leg) => !leg);
  }

  poll(request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    // One poll a session: an earlier one has been given up by its worker.
    this.#answer();
    return new Promise<PollResponse>((resolve, reject) => {
      const abandon = (): void => this.#abandon(waiter);
      const waiter: Waiter = {
        request,
        end: () => signal?.removeEventListener('abort', abandon),
        resolve,
        reject,
      };
      this.#waiter = waiter;
      signal?.addEventListener('abort', abandon, { once: true });
      if (signal?.aborted) abandon();
      else this.#begin(request);
    });
  }

  #begin(request: PollRequest): void {
    const opened = this.#share();
    // A poll that does not wait is answered by the legs that it has opened, and where there is none at once.
    if (this.#tasks.length > 0 || this.#cancel.length > 0 || (request.waitMs <= 0 && opened === 0)) this.#answer();
  }

  /** Opens and ends legs as the worker's slots ask (invariants 1, 2); gives how many were opened. */
  #share(): number {
    const request = this.#waiter?.request;
    if (!request) return 0;
    const free = freeSlots(request) - this.#tasks.length;
    const legs = this.#legs.map((leg) => leg && { slots: leg.slots, isEnding: leg.abort.signal.aborted });
    const { open, end } = shareSlots(legs, { free, favoured: this.#favoured });
    for (const slice of end) this.#legs[slice]!.abort.abort();
    for (const [slice, slots] of open) this.#openLeg(slice, { request, slots, peek: slots === 0 && free > 0 });
    return open.size;
  }

  #openLeg(slice: number, { request, slots, peek }: { readonly request: PollRequest; readonly slots: number; readonly peek: boolean }): void {
    const { desks, tenant, sliceOf } = this.#options;
    const leg: Leg = { slots, peek, abort: new AbortController() };
    this.#legs[slice] = leg;
    const holding = [...request.holding, ...this.#tasks.map(({ token }) => token)].filter((token) => sliceOf(token) === slice);
    desks[slice]!.poll(tenant, { ...request, slots, holding, ...(peek ? { peek } : {}) }, leg.abort.signal).then(
      (response) => this.#legEnded(slice, leg, response),
      (error: unknown) => this.#legFailed(slice, leg, error),
    );
  }

  #legEnded(slice: number, leg: Leg, { tasks, cancel }: PollResponse): void {
    // The worker has gone: what came for it goes back.
    if (this.#legs[slice] !== leg) return;
    this.#legs[slice] = undefined;
    this.#tasks.push(...tasks);
    this.#cancel.push(...cancel);
    const isAnswer = tasks.length > 0 || cancel.length > 0;
    if (leg.peek && !isAnswer) this.#favoured = slice;
    // One that was ended for its slots, and one that only watched, make room for another.
    if (isAnswer || !(leg.peek || leg.abort.signal.aborted)) return this.#answer();
    this.#share();
    if (this.#waiter && this.#waiter.request.waitMs <= 0) this.#answer();
  }

  #legFailed(slice: number, leg: Leg, error: unknown): void {
    if (this.#legs[slice] !== leg) return;
    this.#legs[slice] = undefined;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.end();
    waiter?.reject(error);
  }

  #answer(): void {
    const waiter = this.#waiter;
    if (!waiter) return;
    this.#waiter = undefined;
    waiter.end();
    const response = { tasks: this.#tasks, cancel: this.#cancel };
    this.#clear();
    waiter.resolve(response);
  }

  /** Invariant 3. */
  #abandon(waiter: Waiter): void {
    if (this.#waiter !== waiter) return;
    const legs = this.#legs.splice(0, this.#legs.length, ...this.#legs.map(() => undefined));
    for (const leg of legs) leg?.abort.abort();
    this.#answer();
  }

  #clear(): void {
    this.#tasks = [];
    this.#cancel = [];
  }
}

/** A surgical worker has one task at a time, wherever it came from. */
const freeSlots = ({ slots, surgical, holding }: PollRequest): number => (surgical ? (holding.length > 0 ? 0 : Math.min(1, slots)) : slots);
