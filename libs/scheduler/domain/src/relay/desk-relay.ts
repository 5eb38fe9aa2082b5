import { type AnswerReceipt, type HeartbeatRequest, type HeartbeatResponse, type PollRequest, type PollResponse, type TaskAnswer } from '@perdure/contract';
import { TaskDesk } from '../task-desk.js';
import { parseToken } from '../token.js';
import { RelayedSession } from './relayed-session.js';

export interface DeskRelayOptions {
  /** By the number of their slice. */
  readonly desks: readonly TaskDesk[];
}

/** Sessions that nobody polls any more are forgotten when so many are known. */
const SESSIONS_MAX = 10_000;

/**
 * Several slices behind one desk: a worker polls here once, and is served by all of them.
 *
 * 1. A token says which slice gave it; answers and heartbeats go there.
 * 2. The slots that the slices are told of are never more than the worker's (`RelayedSession`).
 */
export class DeskRelay extends TaskDesk {
  readonly #options: DeskRelayOptions;
  readonly #sessions = new Map<string, RelayedSession>();

  constructor(options: DeskRelayOptions) {
    super();
    this.#options = options;
  }

  override poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    const key = `${tenant}\u0000${request.worker}\u0000${request.session}`;
    let session = this.#sessions.get(key);
    if (!session) {
      this.#forgetIdle();
      session = new RelayedSession({ ...this.#options, tenant, sliceOf: (token) => this.#sliceOf(token) });
      this.#sessions.set(key, session);
    }
    return session.poll(request, signal);
  }

  override answer(tenant: string, answers: readonly TaskAnswer[]): Promise<AnswerReceipt[]> {
    return this.#bySlice(answers, (desk, its) => desk.answer(tenant, its));
  }

  override heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<HeartbeatResponse[]> {
    return this.#bySlice(requests, (desk, its) => desk.heartbeat(tenant, its));
  }

  /** What is no token goes to the first slice, which says what it thinks of it. */
  #sliceOf(token: string): number {
    const slice = parseToken(token)?.slice ?? 0;
    return slice < this.#options.desks.length ? slice : 0;
  }

  async #bySlice<T extends { readonly token: string }, R>(all: readonly T[], ask: (desk: TaskDesk, its: readonly T[]) => Promise<R[]>): Promise<R[]> {
    const places = this.#options.desks.map((): number[] => []);
    for (const [place, { token }] of all.entries()) places[this.#sliceOf(token)]!.push(place);
    const results = new Array<R>(all.length);
    await Promise.all(
      places.map(async (its, slice) => {
        if (its.length === 0) return;
        const given = await ask(this.#options.desks[slice]!, its.map((place) => all[place]!));
        for (const [i, place] of its.entries()) results[place] = given[i]!;
      }),
    );
    return results;
  }

  #forgetIdle(): void {
    if (this.#sessions.size < SESSIONS_MAX) return;
    for (const [key, session] of this.#sessions) if (session.isIdle) this.#sessions.delete(key);
  }
}
