import { randomBytes } from 'node:crypto';
import type { Clock } from '@perdure/clock';
import { LIMITS, PerdureError, runKeyOf, type BundleView, type ExternalEvent, type HistoryPage, type Input, type InputOutcome, type Json, type RunPage, type RunResult, type RunView} from '@perdure/contract';
import type { ShardGateway, ShardHints } from '@perdure/embedded';
import { Waiters } from '@perdure/hosting';
import { BundleRegistry, EventLog, Log, Outcomes, Queries, RunReader, type Appended, type EventReceipt, type InputRef, type NewBundle, type RunFilter, type RunRef } from '@perdure/ingestion';
import type { CommittedRuns, MetaFile } from '@perdure/sqlite';

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

  override async await(ref: InputRef, { untilMs, done, signal }: { readonly untilMs: number; readonly done: (outcome: InputOutcome) => boolean; readonly signal?: AbortSignal }): Promise<InputOutcome | undefined> {
    const { reader, clock } = this.#deps;
    for (;;) {
      const outcome = reader.outcome(ref);
      if ((outcome && done(outcome)) || clock.now() >= untilMs || signal?.aborted) return outcome;
      await this.#waiters.wait(`${ref.tenant}\u0000${ref.workflowId}\u0000${ref.inputId}`, { untilMs, clock, ...(signal ? { signal } : {}) });
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

const DAY_MS = 86_400_000;
/** Design §11: the maximal run time plus a day, counted from the bundle's newest run. */
const RETIRE_AFTER_MS = 8 * DAY_MS;

export class MetaBundles extends BundleRegistry {
  readonly #deps: ReadDeps;
  /** Looked up with each start; this process alone deploys. */
  readonly #defaults = new Map<string, string>();
  readonly #meta: MetaFile;

  constructor(meta: MetaFile, deps: ReadDeps) {
    super();
    this.#meta = meta;
    this.#deps = deps;
  }

  override async deploy(tenant: string, { name, code, sourceMap }: NewBundle): Promise<BundleView> {
    const { hash, workflows } = await this.#deps.shard.inspect(code);
    this.#meta.deploy(tenant, { hash, name, code, workflows, createdAt: this.#deps.clock.now(), ...(sourceMap === undefined ? {} : { sourceMap }) });
    this.#defaults.clear();
    return (await this.find(tenant, hash))!;
  }

  override async list(tenant: string): Promise<readonly BundleView[]> {
    const use = new Map(this.#deps.reader.bundleUse(tenant).map((each) => [each.bundle, each]));
    return this.#meta.list(tenant).map((bundle) => {
      const used = use.get(bundle.hash);
      const why = whyKept({ ...bundle, open: used?.open ?? 0, newest: used?.newest ?? 0, now: this.#deps.clock.now() });
      return { ...bundle, tenant, openRuns: used?.open ?? 0, retirable: why === undefined, ...(why === undefined ? {} : { why }) };
    });
  }

  override async find(tenant: string, hash: string): Promise<BundleView | undefined> {
    return (await this.list(tenant)).find((bundle) => bundle.hash === hash);
  }

  override async defaultFor(tenant: string, workflowType: string): Promise<string | undefined> {
    const key = `${tenant}\u0000${workflowType}`;
    const known = this.#defaults.get(key);
    if (known !== undefined) return known;
    const hash = this.#meta.defaultFor(tenant, workflowType);
    // Names that nobody deployed may be many; they are not kept.
    if (hash !== undefined) this.#defaults.set(key, hash);
    return hash;
  }

  override async retire(tenant: string, hash: string): Promise<void> {
    const bundle = await this.find(tenant, hash);
    if (!bundle) throw new PerdureError('unknown-bundle', `No bundle ${hash} is deployed.`);
    if (!bundle.retirable) throw new PerdureError('bundle-in-use', `The bundle cannot be retired yet: ${bundle.why}.`);
    this.#meta.remove(tenant, hash);
    this.#defaults.clear();
  }
}

const whyKept = ({ defaultFor, open, newest, now }: { readonly defaultFor: readonly string[]; readonly open: number; readonly newest: number; readonly now: number }): string | undefined => {
  if (defaultFor.length > 0) return `it is the default for ${defaultFor.join(', ')}`;
  if (open > 0) return `${open} runs on it have not closed`;
  if (newest + RETIRE_AFTER_MS > now) return `its newest run started less than ${RETIRE_AFTER_MS / DAY_MS} days ago`;
  return undefined;
};

export const newSecret = (): Uint8Array => randomBytes(32);
export const BODY_LIMITS = { '/v1/bundles': LIMITS.bundleBytesMax * 4, '/v1/tasks/': LIMITS.payloadBytesMax * 8 };
