import { randomBytes } from 'node:crypto';
import type { Clock } from '@perdure/clock';
import { inputKeyOf, inputRefOf, LIMITS, runKeyOf, type ExternalEvent, type HistoryPage, type Input, type InputOutcome, type InputRef, type Json, type RunPage, type RunResult, type RunView } from '@perdure/contract';
import type { ShardGateway, ShardHints } from '@perdure/embedded';
import { Waiters } from '@perdure/hosting';
import { EventLog, Log, Outcomes, Queries, RunReader, type Appended, type EventReceipt, type RunFilter, type RunRef } from '@perdure/ingestion';
import type { CommittedRuns } from '@perdure/sqlite';

/** The shard decides and commits before it answers, so what is appended is decided. */
export class ShardLog extends Log {
  readonly #shard: ShardGateway;
  constructor(shard: ShardGateway) {
    super();
    this.#shard = shard;
  }
  override async append(inputs: readonly Input[]): Promise<readonly Appended[]> {
    return (await this.#shard.append(inputs)).map((outcome) => ({ kind: 'decided', outcome }));
  }
}

export class ShardEvents extends EventLog {
  readonly #shard: ShardGateway;
  constructor(shard: ShardGateway) {
    super();
    this.#shard = shard;
  }
  override append(events: readonly ExternalEvent[]): Promise<readonly EventReceipt[]> {
    return this.#shard.publish(events);
  }
}

export class ShardQueries extends Queries {
  readonly #shard: ShardGateway;
  constructor(shard: ShardGateway) {
    super();
    this.#shard = shard;
  }
  override query(ref: RunRef, query: { readonly name: string; readonly input?: Json }): Promise<{ readonly value?: Json }> {
    return this.#shard.query({ ...ref, ...query });
  }
}

export interface ReadDeps {
  readonly reader: CommittedRuns;
  readonly shard: ShardGateway;
  readonly clock: Clock;
}

export class ShardOutcomes extends Outcomes {
  readonly #deps: ReadDeps;
  readonly #waiters = new Waiters();

  constructor(deps: ReadDeps) {
    super();
    this.#deps = deps;
    deps.shard.onHints(({ decided }: ShardHints) => this.#waiters.wake(decided));
  }

  override async find(ref: InputRef): Promise<InputOutcome | undefined> {
    return this.#deps.reader.outcome(ref);
  }

  /** Its shard has answered for the input already: what is waited for is what comes after that. */
  override async await(input: Input, { untilMs, done, signal }: { readonly untilMs: number; readonly done: (outcome: InputOutcome) => boolean; readonly signal?: AbortSignal }): Promise<InputOutcome | undefined> {
    const { reader, clock } = this.#deps;
    const ref = inputRefOf(input);
    for (;;) {
      const outcome = reader.outcome(ref);
      if ((outcome && done(outcome)) || clock.now() >= untilMs || signal?.aborted) return outcome;
      await this.#waiters.wait(inputKeyOf(ref), { untilMs, clock, ...(signal ? { signal } : {}) });
    }
  }
}

export class ShardRuns extends RunReader {
  readonly #deps: ReadDeps;
  readonly #waiters = new Waiters();

  constructor(deps: ReadDeps) {
    super();
    this.#deps = deps;
    deps.shard.onHints(({ closed }: ShardHints) => this.#waiters.wake(closed));
  }

  override async find(ref: RunRef): Promise<RunView | undefined> {
    return this.#deps.reader.find(ref);
  }
  override async list(tenant: string, filter: RunFilter): Promise<RunPage> {
    return this.#deps.reader.list(tenant, filter);
  }
  override async history(ref: RunRef, page: { readonly after: number; readonly limit: number }): Promise<HistoryPage | undefined> {
    return this.#deps.reader.history(ref, page);
  }
  override async result(ref: RunRef): Promise<RunResult | undefined> {
    return this.#deps.reader.result(ref);
  }
  override whenClosed(ref: RunRef, { untilMs, signal }: { readonly untilMs: number; readonly signal?: AbortSignal }): Promise<void> {
    return this.#waiters.wait(runKeyOf({ ...ref, runId: ref.runId ?? '' }), { untilMs, clock: this.#deps.clock, ...(signal ? { signal } : {}) });
  }
}

export const newSecret = (): Uint8Array => randomBytes(32);
export const BODY_LIMITS = { '/v1/bundles': LIMITS.bundleBytesMax * 4, '/v1/tasks/': LIMITS.payloadBytesMax * 8 };
