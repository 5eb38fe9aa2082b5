import type { TaskEnvelope } from '@perdure/contract';
import type { Kernel } from './kernel.js';

interface HandedOut {
  readonly token: string;
  readonly attempt: number;
  readonly epoch: number;
}

/** Watches who may close a task: the newest attempt handed out, and of an older epoch only one that was not handed out anew (I8). */
export class HandOuts {
  readonly #kernel: Kernel;
  readonly #newest = new Map<string, HandedOut>();
  readonly #keys = new Map<string, { readonly key: string; readonly attempt: number }>();
  readonly #recorded = new Set<string>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  handedOut({ token, attempt, epoch, idempotencyKey: key }: TaskEnvelope): void {
    this.#keys.set(token, { key, attempt });
    this.#newest.set(key, { token, attempt, epoch });
  }

  /** Of the token's task, now. */
  newest(token: string): HandedOut | undefined {
    const known = this.#keys.get(token);
    return known && this.#newest.get(known.key);
  }

  /** `before`: the newest when the answer arrived. */
  recorded(token: string, { before, epoch }: { readonly before: HandedOut | undefined; readonly epoch: number }): void {
    const known = this.#keys.get(token);
    if (!known || !before || this.#recorded.has(token)) return;
    this.#recorded.add(token);
    if (before.token === token) return;
    if (before.epoch === epoch || known.attempt < before.attempt) this.#kernel.violate('I8', `attempt ${known.attempt} of ${known.key} was recorded although attempt ${before.attempt} had been handed out after it`);
  }
}
