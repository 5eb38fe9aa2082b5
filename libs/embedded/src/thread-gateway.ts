import { PerdureError, type AnswerReceipt, type ExternalEvent, type HeartbeatRequest, type HeartbeatResponse, type Input, type InputOutcome, type Json, type PollRequest, type PollResponse, type TaskAnswer } from '@perdure/contract';
import type { Worker } from 'node:worker_threads';
import type { InspectedBundle, MetricJson } from '@perdure/hosting';
import { ShardGateway, type QueryRequest, type ShardFigures, type ShardHints } from './shard-gateway.js';
import { Batcher, fromWireError, type FromShard, type ToShard } from './wire.js';

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A shard in a worker thread, asked in batches over its message port. */
export class ThreadGateway extends ShardGateway {
  readonly #worker: Worker;
  readonly #out: Batcher<ToShard>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners: ((hints: ShardHints) => void)[] = [];
  readonly #exited: Promise<void>;
  #lastId = 0;
  #gone: PerdureError | undefined;

  /** `onFatal`: the shard cannot go on (its file is gone, say); nothing was lost, but this process should end. */
  constructor(worker: Worker, onFatal: (reason: string) => void) {
    super();
    this.#worker = worker;
    this.#out = new Batcher((batch) => worker.postMessage(batch));
    worker.on('message', (batch: FromShard[]) => this.#receive(batch, onFatal));
    // The answers of a batch that cannot be read are lost, and whoever asked would wait for ever.
    worker.on('messageerror', (error) => onFatal(`A message of the shard cannot be read: ${error.message}`));
    worker.on('error', (error) => onFatal(error instanceof Error ? (error.stack ?? error.message) : String(error)));
    this.#exited = new Promise((resolve) =>
      worker.once('exit', () => {
        this.#gone = new PerdureError('unavailable', 'The shard has stopped.');
        for (const { reject } of this.#waiting.values()) reject(this.#gone);
        this.#waiting.clear();
        resolve();
      }),
    );
  }

  override append(inputs: readonly Input[]): Promise<readonly InputOutcome[]> {
    return this.#call('append', [inputs]);
  }
  override publish(events: readonly ExternalEvent[]): Promise<readonly ('accepted' | 'duplicate')[]> {
    return this.#call('publish', [events]);
  }
  override query(request: QueryRequest): Promise<{ readonly value?: Json }> {
    return this.#call('query', [request]);
  }
  override poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    return this.#call('poll', [tenant, request], signal);
  }
  override answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]> {
    return this.#call('answer', [tenant, answers]);
  }
  override heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return this.#call('heartbeat', [tenant, requests]);
  }
  override inspect(code: string): Promise<InspectedBundle> {
    return this.#call('inspect', [code]);
  }
  override forgetBundle(tenant: string, hash: string): Promise<void> {
    return this.#call('forgetBundle', [tenant, hash]);
  }
  override figures(): Promise<ShardFigures> {
    return this.#call('figures', []);
  }
  override metrics(): Promise<readonly (readonly MetricJson[])[]> {
    return this.#call('metrics', []);
  }
  override onHints(listener: (hints: ShardHints) => void): void {
    this.#listeners.push(listener);
  }
  override drain(): Promise<void> {
    return this.#call('drain', []);
  }
  override async close(): Promise<void> {
    if (!this.#gone) await this.#call('close', []).catch(() => undefined);
    await this.#worker.terminate();
    await this.#exited;
  }

  #call<T>(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    if (this.#gone) return Promise.reject(this.#gone);
    const id = ++this.#lastId;
    signal?.addEventListener('abort', () => this.#waiting.has(id) && this.#out.push({ abort: id }), { once: true });
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#out.push({ id, method, args });
    });
  }

  #receive(batch: readonly FromShard[], onFatal: (reason: string) => void): void {
    for (const message of batch) {
      if ('hints' in message) for (const listener of this.#listeners) listener(message.hints);
      else if ('fatal' in message) onFatal(message.fatal);
      else this.#settle(message);
    }
  }

  #settle(message: Extract<FromShard, { id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('error' in message) waiting?.reject(fromWireError(message.error));
    else waiting?.resolve(message.value as never);
  }
}
