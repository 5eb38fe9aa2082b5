import { join } from 'node:path';
import type { Bundle } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import type { Input, InputBody, InputOutcome, Json, TaskAnswer, TaskEnvelope } from '@perdure/contract';
import { EmbeddedShard } from '@perdure/embedded';
import { OneBundle } from '@perdure/history/testing';
import { deriveRunId } from '@perdure/identity';
import type { Sandbox } from '@perdure/sandbox';
import { contentsOf, ShardFile, type ShardContents } from '@perdure/sqlite';
import { inOrder, type Happening, type RandomProgram, type Sent } from './random-program.js';

/**
 * `live`: one input at a time. `together`: those of one moment in one batch. `restored`: opened anew before each, from snapshots. `replayed`: opened anew, and
 * nothing but the history is there.
 */
export type Variant = 'live' | 'together' | 'restored' | 'replayed';

export interface Stage {
  readonly made: Bundle;
  /** Of the program's own: realms of a shard that closed stay in the sandbox. */
  readonly sandbox: Sandbox;
  readonly snapshotKey: Uint8Array;
  readonly folder: string;
}

export interface Outcome {
  readonly contents: ShardContents;
  /** What the senders of inputs were told. */
  readonly answers: readonly unknown[];
  /** Snapshots that were there when the shard was opened anew. */
  readonly snapshots: number;
  readonly queries: number;
}

const GRACE_MS = 2_000;
const DAY_MS = 86_400_000;
/** More than the longest program has attempts and waits. */
const ROUNDS_MAX = 200;
const TENANT = 'acme';

const perform = ({ token, name, input, attempt }: TaskEnvelope): TaskAnswer => {
  const { id, fails = 0 } = input as { id?: string; fails?: number };
  if (attempt <= fails) return { token, kind: 'failed', error: { type: 'Error', message: `${name} ${id} ${attempt}`, retryable: true } };
  return { token, kind: 'completed', value: [name, id ?? null, attempt] };
};

/** One program in one file, driven in one way. */
export class Play {
  readonly #variant: Variant;
  readonly #stage: Stage;
  readonly #clock = new ManualClock();
  readonly #answers: unknown[] = [];
  readonly #look: (contents: () => ShardContents) => Promise<void>;
  #file!: ShardFile;
  #shard!: EmbeddedShard;
  #sent = 0;
  #snapshots = 0;
  #queries = 0;

  /** `look` is called after each thing that happened. */
  constructor(variant: Variant, stage: Stage, look: (contents: () => ShardContents) => Promise<void> = () => Promise.resolve()) {
    this.#variant = variant;
    this.#stage = stage;
    this.#look = look;
  }

  async run({ steps, happenings }: RandomProgram): Promise<Outcome> {
    await this.#open();
    try {
      const newRunId = deriveRunId({ tenant: TENANT, workflowId: 'main', startId: 'start' });
      this.#answers.push(await this.#append({ kind: 'start', workflowType: 'interpret', newRunId, bundle: this.#stage.made.hash, input: { steps } as unknown as Json }, 'start'));
      for (const happening of happenings) {
        await this.#anew();
        await this.#pass(GRACE_MS);
        await this.#let(happening);
        await this.#query();
        await this.#look(() => contentsOf(this.#file.db));
      }
      await this.#pass(GRACE_MS);
      for (let round = 0; round < ROUNDS_MAX && this.#isOpen("<> ''"); round++) {
        if (this.#isOpen("= 'suspended'")) this.#answers.push(await this.#append({ kind: 'resume' }));
        await this.#work(round);
        await this.#pass(DAY_MS / 8);
      }
      if (this.#isOpen("<> ''")) throw new Error(`a run of the program is still open after ${ROUNDS_MAX} rounds`);
      return { contents: contentsOf(this.#file.db), answers: this.#answers, snapshots: this.#snapshots, queries: this.#queries };
    } finally {
      await this.#shard.close();
    }
  }

  async #open(): Promise<void> {
    const { made, sandbox, snapshotKey, folder } = this.#stage;
    this.#file = this.#isAnew ? new ShardFile({ path: join(folder, `${this.#variant}.db`) }) : ShardFile.inMemory();
    const limits = this.#isAnew ? { realmsMax: 1, snapshotEveryEvents: 1 } : {};
    this.#shard = await EmbeddedShard.open({ file: this.#file, bundles: new OneBundle(made), sandbox, clock: this.#clock, random: () => 0.5, snapshotKey, limits });
  }

  #isOpen(status: string): boolean {
    return this.#file.db.prepare(`select 1 from run where closed_at is null and status ${status} limit 1`).get() !== undefined;
  }

  get #isAnew(): boolean {
    return this.#variant === 'restored' || this.#variant === 'replayed';
  }

  async #anew(): Promise<void> {
    if (!this.#isAnew) return;
    await this.#shard.close();
    await this.#open();
    if (this.#variant === 'replayed') this.#file.db.exec('delete from snapshot');
    this.#snapshots += (this.#file.db.prepare('select count(*) as count from snapshot').get() as { count: number }).count;
  }

  async #let(happening: Happening): Promise<void> {
    switch (happening.kind) {
      case 'answer':
        return this.#work(happening.order);
      case 'advance':
        return this.#pass(happening.ms);
      case 'append':
        return this.#each(happening.inputs.map((sent) => () => this.#send(sent)));
      case 'publish':
        return this.#each(Array.from({ length: happening.count }, () => () => this.#publish()));
    }
  }

  /** After a restart, workers that may hold an attempt have two seconds to say so: what waits for that must pass in all variants. */
  #pass(ms: number): Promise<void> {
    this.#clock.advanceBy(ms);
    return this.#shard.settled();
  }

  async #each(sends: readonly (() => Promise<unknown>)[]): Promise<void> {
    if (this.#variant === 'together') {
      this.#answers.push(...(await Promise.all(sends.map((send) => send()))));
      return this.#shard.settled();
    }
    for (const [index, send] of sends.entries()) {
      if (index > 0) {
        await this.#anew();
        await this.#pass(GRACE_MS);
      }
      this.#answers.push(await send());
      await this.#shard.settled();
      await this.#query();
    }
  }

  #send(sent: Sent): Promise<InputOutcome> {
    const n = this.#sent;
    switch (sent) {
      case 'update':
        return this.#append({ kind: 'update', name: 'add', input: n });
      case 'signal':
        return this.#append({ kind: 'signal', name: 'go', input: n });
      case 'unknown':
        return this.#append({ kind: 'signal', name: 'else', input: n });
      case 'terminate':
        return this.#append({ kind: 'terminate', compensate: n % 2 === 0 });
      default:
        return this.#append({ kind: sent });
    }
  }

  async #append(body: InputBody, id = `i${this.#sent++}`): Promise<InputOutcome> {
    const input = { id, tenant: TENANT, workflowId: 'main', at: this.#clock.now(), ...body } as Input;
    return (await this.#shard.append([input]))[0]!;
  }

  #publish(): Promise<unknown> {
    const n = this.#sent++;
    return this.#shard.publish([{ tenant: TENANT, source: 's', id: `e${n}`, type: 'scan', time: 0, keys: { tracking: 'T1' }, data: { n } }]);
  }

  /** Answers whatever a worker is handed now, in an order of the program's; not what follows from it. */
  async #work(order: number): Promise<void> {
    await this.#shard.settled();
    const { tasks } = await this.#shard.poll(TENANT, { worker: 'w', session: 's', queues: ['default'], slots: 100, holding: [], waitMs: 0 });
    const sorted = tasks.toSorted((a, b) => (a.idempotencyKey < b.idempotencyKey ? -1 : 1));
    const answers = inOrder(sorted, order).map(perform);
    if (this.#variant === 'together') await this.#shard.answer(TENANT, answers);
    else {
      for (const answer of answers) {
        await this.#shard.answer(TENANT, [answer]);
        await this.#shard.settled();
      }
    }
    await this.#shard.settled();
  }

  /** A query leaves no trace: one variant of each pair asks none. A suspended run's may have no realm to ask. */
  async #query(): Promise<void> {
    if (this.#variant === 'together' || this.#variant === 'replayed' || this.#isOpen("= 'suspended'")) return;
    const { value } = await this.#shard.query({ tenant: TENANT, workflowId: 'main', name: 'log' });
    if (!Array.isArray(value) || value.length !== 4) throw new Error(`the query was answered ${JSON.stringify(value)}`);
    this.#queries += 1;
  }
}
