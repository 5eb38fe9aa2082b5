import { isPerdureError, PerdureError, type ProblemCode } from '@perdure/contract';
import type { ShardHints } from './shard-gateway.js';

/** What the main thread says to a shard's thread, many at a time. */
export type ToShard = { readonly id: number; readonly method: string; readonly args: readonly unknown[] } | { readonly abort: number };

/** And what that answers. */
export type FromShard = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: WireError } | { readonly hints: ShardHints } | { readonly fatal: string };

export interface WireError {
  readonly code: ProblemCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly errors?: unknown;
}

export const toWireError = (thrown: unknown): WireError => {
  if (isPerdureError(thrown)) return { code: thrown.code, message: thrown.message, retryable: thrown.retryable, ...(thrown.errors === undefined ? {} : { errors: thrown.errors }) };
  return { code: 'internal', message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown), retryable: false };
};

export const fromWireError = ({ code, message, retryable, errors }: WireError): PerdureError => new PerdureError(code, message, { retryable, ...(errors === undefined ? {} : { errors }) });

/** Collects what is said within one turn of the event loop into one message: a port costs by the message, not by the byte. */
export class Batcher<T> {
  #pending: T[] = [];
  readonly #send: (batch: T[]) => void;

  constructor(send: (batch: T[]) => void) {
    this.#send = send;
  }

  push(item: T): void {
    if (this.#pending.push(item) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    this.#pending = [];
    this.#send(batch);
  }
}
