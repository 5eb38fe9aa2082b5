import type { Effect, Input, InputBody, InputOutcome, RunResult, SuspendReason } from '@perdure/contract';
import { Engine } from '@perdure/engine';
import { hash } from 'node:crypto';
import { BundleSource, type BundleCode } from '../ports/bundle-source.js';
import { SoleOwner } from '../ports/ownership.js';
import type { StackMapper } from '../ports/stack-mapper.js';
import type { StateStore } from '../ports/state-store.js';
import type { ProcessorLimits } from '../processor-options.js';
import { ShardProcessor } from '../shard-processor.js';
import { FakeRealms, type Script } from './fake-realms.js';
import { MemoryStateStore } from './memory-state-store.js';

const sha = (text: string): string => hash('sha256', text, 'hex');

class ScriptBundles extends BundleSource {
  readonly #scripts: Record<string, Script>;
  constructor(scripts: Record<string, Script>) {
    super();
    this.#scripts = scripts;
  }
  override async find(_tenant: string, bundle: string): Promise<BundleCode | undefined> {
    return this.#scripts[bundle] && { hash: bundle, code: bundle, workflows: [bundle.split('@')[0]!] };
  }
  override async defaultFor(_tenant: string, workflowType: string): Promise<string | undefined> {
    return this.#scripts[workflowType] && workflowType;
  }
}

export interface ShardBenchOptions {
  readonly scripts: Record<string, Script>;
  readonly store?: StateStore;
  readonly limits?: Partial<ProcessorLimits>;
  readonly stacks?: StackMapper;
}

/** A shard processor with the real engine and scripted realms, driven a batch at a time. */
export class ShardBench<S extends StateStore = MemoryStateStore> {
  readonly store: S;
  readonly realms: FakeRealms;
  readonly outcomes = new Map<string, InputOutcome[]>();
  readonly closed: RunResult[] = [];
  readonly suspended: SuspendReason[] = [];
  readonly faults: string[] = [];
  processor!: ShardProcessor;
  readonly #options: ShardBenchOptions;
  readonly #engine = new Engine({ deriveRunId: ({ workflowId, startId }) => `${workflowId}:${startId}`, digest: sha });
  #now = 1_000;

  private constructor(options: ShardBenchOptions) {
    this.#options = options;
    this.store = (options.store ?? new MemoryStateStore()) as S;
    this.realms = new FakeRealms(options.scripts);
  }

  static async open<S extends StateStore = MemoryStateStore>(options: ShardBenchOptions): Promise<ShardBench<S>> {
    const bench = new ShardBench<S>(options);
    await bench.reopen();
    return bench;
  }

  /** As after a restart: nothing of what was in memory is left. */
  async reopen(): Promise<void> {
    const { epoch } = await this.store.head();
    this.processor = await ShardProcessor.open(
      {
        engine: this.#engine,
        store: this.store,
        bundles: new ScriptBundles(this.#options.scripts),
        realms: this.realms,
        ownership: new SoleOwner(epoch),
        ...(this.#options.stacks ? { stacks: this.#options.stacks } : {}),
        events: {
          outcome: ({ ref: { inputId }, outcome }) => void this.outcomes.set(inputId, [...(this.outcomes.get(inputId) ?? []), outcome]),
          closed: (_run, result) => void this.closed.push(result),
          suspended: (_run, reason) => void this.suspended.push(reason),
          fault: (input, error) => void this.faults.push(`${input.id}: ${error.message}`),
        },
      },
      { snapshotKey: Buffer.alloc(32, 7), ...(this.#options.limits ? { limits: this.#options.limits } : {}) },
    );
  }

  input(workflowId: string, id: string, body: InputBody): Input {
    this.#now += 1;
    return { id, tenant: 't', workflowId, at: this.#now, ...body };
  }

  start(workflowId: string, workflowType: string, more: Partial<Extract<InputBody, { kind: 'start' }>> = {}): Input {
    const id = `start:${workflowId}`;
    return this.input(workflowId, id, { kind: 'start', workflowType, newRunId: `${workflowId}:${id}`, ...more });
  }

  closing(workflowId: string, seq: number, value: number): Input {
    return this.input(workflowId, `closed:${seq}`, { kind: 'activityClosed', seq, outcome: { status: 'completed', value }, attempts: 1 });
  }

  /** One batch, committed. */
  async run(...inputs: Input[]): Promise<Effect[]> {
    const effects = await this.processor.process(inputs);
    await this.commit();
    return effects;
  }

  async commit(): Promise<void> {
    const commit = this.processor.takeCommit();
    if (!commit) return;
    await this.store.commit(commit);
    this.processor.committed();
  }

  outcome(id: string): InputOutcome | undefined {
    return this.outcomes.get(id)?.at(-1);
  }
}
