import type { AnswerReceipt, HeartbeatRequest, Json, TaskAnswer, TaskEnvelope } from '@perdure/contract';
import type { Kernel } from './kernel.js';

interface HandedOut {
  readonly token: string;
  readonly attempt: number;
  readonly epoch: number;
}

interface Beat {
  readonly key: string;
  readonly attempt: number;
  /** When it came to the desk, among all that did. */
  readonly order: number;
}

/** What a heartbeat carries: nobody else says the same. */
export const progressOf = ({ idempotencyKey, attempt, token }: TaskEnvelope, nth: number): string => JSON.stringify([idempotencyKey, attempt, nth, token]);

/**
 * Watches what passes the scheduler's desks: who may close a task (the newest attempt handed out, and of an older epoch only one that was not handed out anew),
 * whose progress the next attempt is given (I8), and that each tenant is given its own.
 */
export class HandOuts {
  readonly #kernel: Kernel;
  readonly #newest = new Map<string, HandedOut>();
  readonly #keys = new Map<string, { readonly key: string; readonly attempt: number }>();
  readonly #recorded = new Set<string>();
  readonly #beats = new Map<string, Beat>();
  /** When each attempt of a task was first handed out, among all that came to a desk. */
  readonly #first = new Map<string, Map<number, number>>();
  /** Kernel's time of the last hand-out. */
  readonly lastMs = new Map<string, number>();
  #order = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  handedOut(tenant: string, { token, attempt, epoch, idempotencyKey: key, run, progress }: TaskEnvelope): void {
    if (run.tenant !== tenant) this.#kernel.violate('tenants', `a worker of ${tenant} was given ${key}`);
    this.#order += 1;
    this.#checkGiven(progress, { key, attempt });
    this.#keys.set(token, { key, attempt });
    this.#newest.set(key, { token, attempt, epoch });
    this.lastMs.set(key, this.#kernel.now);
    const first = this.#first.get(key) ?? new Map<number, number>();
    this.#first.set(key, first);
    if (!first.has(attempt)) first.set(attempt, this.#order);
  }

  /** Of the token's task, now. */
  newest(token: string): HandedOut | undefined {
    const known = this.#keys.get(token);
    return known && this.#newest.get(known.key);
  }

  /** `before`: the newest when the answer arrived. */
  answered({ token, kind }: TaskAnswer, { status }: AnswerReceipt, { before, epoch }: { readonly before: HandedOut | undefined; readonly epoch: number }): void {
    const known = this.#keys.get(token);
    if (status !== 'recorded' || kind === 'accepted' || !known || !before || this.#recorded.has(token)) return;
    this.#recorded.add(token);
    if (before.token === token) return;
    if (before.epoch === epoch || known.attempt < before.attempt) this.#kernel.violate('I8', `attempt ${known.attempt} of ${known.key} was recorded although attempt ${before.attempt} had been handed out after it`);
  }

  beaten(requests: readonly HeartbeatRequest[]): void {
    for (const { progress } of requests) {
      const [key, attempt] = (JSON.parse(String(progress)) ?? []) as [string?, number?];
      if (key === undefined || attempt === undefined) continue;
      this.#beats.set(String(progress), { key, attempt, order: ++this.#order });
    }
  }

  /** With its task: whoever is given the task next is given this. */
  kept(key: string, progress: Json | undefined): void {
    if (progress === undefined) return;
    const beat = this.#beats.get(String(progress));
    if (beat?.key !== key) return this.#kernel.violate('I8', `${key} was kept with progress that none of its attempts had reported: ${String(progress)}`);
    const next = [...(this.#first.get(key) ?? [])].find(([newer, order]) => newer > beat.attempt && order < beat.order);
    if (next) this.#kernel.violate('I8', `${key} was kept with what attempt ${beat.attempt} reported after attempt ${next[0]} had been handed out`);
  }

  #checkGiven(progress: Json | undefined, { key, attempt }: { readonly key: string; readonly attempt: number }): void {
    this.kept(key, progress);
    const beat = progress === undefined ? undefined : this.#beats.get(String(progress));
    if (beat && beat.attempt > attempt) this.#kernel.violate('I8', `attempt ${attempt} of ${key} was given what attempt ${beat.attempt} had reported`);
  }
}
