import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundle, type Bundle } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import type { EventBody, Input, InputBody, InputOutcome, Json, TaskAnswer, TaskEnvelope, Transition } from '@perdure/contract';
import { Engine, type RunState } from '@perdure/engine';
import { BundleSource, type BundleCode } from '@perdure/history';
import { deriveRunId, sha256Hex } from '@perdure/identity';
import { Sandbox } from '@perdure/sandbox';
import { ShardFile, SqliteRunReader } from '@perdure/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedShard } from './embedded-shard.js';
import { inOrder, INTERPRETER, randomPrograms, type Happening, type RandomProgram } from './testing/random-program.js';

/** PERDURE_PROGRAMS=1000 for a long run, half a second and more each; PERDURE_SEED for other programs. The first of many are those of few. */
const PROGRAMS = Number(process.env['PERDURE_PROGRAMS'] ?? 20);
const SEED = Number(process.env['PERDURE_SEED'] ?? 7);

/**
 * `live`: one input at a time. `together`: those of one moment in one batch. `restored`: opened anew before each, from snapshots. `replayed`: opened anew, and
 * nothing but the history is there.
 */
type Variant = 'live' | 'together' | 'restored' | 'replayed';

const GRACE_MS = 2_000;
const DAY_MS = 86_400_000;
const KEY = new Uint8Array(32);
/** More than the longest program has attempts and waits. */
const ROUNDS_MAX = 200;

class OneBundle extends BundleSource {
  readonly code: BundleCode;
  constructor(code: BundleCode) {
    super();
    this.code = code;
  }
  override find(): Promise<BundleCode | undefined> {
    return Promise.resolve(this.code);
  }
  override defaultFor(): Promise<string | undefined> {
    return Promise.resolve(this.code.hash);
  }
}

interface StoredRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly result: unknown;
  readonly transitions: readonly Transition[];
  readonly state: RunState;
}

interface Outcome {
  readonly runs: readonly StoredRun[];
  readonly answers: readonly unknown[];
}

const perform = ({ token, name, input, attempt }: TaskEnvelope): TaskAnswer => {
  const { id, fails = 0 } = input as { id?: string; fails?: number };
  if (attempt <= fails) return { token, kind: 'failed', error: { type: 'Error', message: `${name} ${id} ${attempt}`, retryable: true } };
  return { token, kind: 'completed', value: [name, id ?? null, attempt] };
};

/** One program in one file, driven in one way. */
class Play {
  readonly #variant: Variant;
  readonly #path: string;
  readonly #made: Bundle;
  readonly #clock = new ManualClock();
  readonly #answers: unknown[] = [];
  #file!: ShardFile;
  readonly #sandbox: Sandbox;
  #shard!: EmbeddedShard;
  #sent = 0;
  /** Snapshots that were there when the shard was opened anew. */
  snapshots = 0;

  constructor(variant: Variant, path: string, { made, sandbox }: { readonly made: Bundle; readonly sandbox: Sandbox }) {
    this.#variant = variant;
    this.#path = path;
    this.#made = made;
    this.#sandbox = sandbox;
  }

  async run({ steps, happenings }: RandomProgram): Promise<Outcome> {
    await this.#open();
    try {
      const newRunId = deriveRunId({ tenant: 'acme', workflowId: 'main', startId: 'start' });
      this.#answers.push(await this.#append({ kind: 'start', workflowType: 'interpret', newRunId, bundle: this.#made.hash, input: { steps } as unknown as Json }, 'start'));
      for (const happening of happenings) {
        await this.#anew();
        await this.#pass(GRACE_MS);
        await this.#let(happening);
        await this.#look();
      }
      await this.#pass(GRACE_MS);
      for (let round = 0; round < ROUNDS_MAX && this.#isRunning; round++) {
        await this.#work(round);
        await this.#pass(DAY_MS / 8);
      }
      return { runs: this.#stored(), answers: this.#answers };
    } finally {
      await this.#shard.close();
    }
  }

  async #open(): Promise<void> {
    this.#file = new ShardFile({ path: this.#path });
    const limits = this.#isAnew ? { realmsMax: 1, snapshotEveryEvents: 1 } : {};
    this.#shard = await EmbeddedShard.open({ file: this.#file, bundles: new OneBundle(this.#made), sandbox: this.#sandbox, clock: this.#clock, random: () => 0.5, snapshotKey: KEY, limits });
  }

  get #isRunning(): boolean {
    return this.#file.db.prepare('select 1 from run where closed_at is null limit 1').get() !== undefined;
  }

  get #isAnew(): boolean {
    return this.#variant === 'restored' || this.#variant === 'replayed';
  }

  async #anew(): Promise<void> {
    if (!this.#isAnew) return;
    if (this.#variant === 'replayed') this.#file.db.exec('delete from snapshot');
    await this.#shard.close();
    await this.#open();
    if (this.#variant === 'replayed') this.#file.db.exec('delete from snapshot');
    this.snapshots += (this.#file.db.prepare('select count(*) as count from snapshot').get() as { count: number }).count;
  }

  async #let(happening: Happening): Promise<void> {
    switch (happening.kind) {
      case 'answer':
        return this.#work(happening.order);
      case 'advance':
        return this.#pass(happening.ms);
      case 'append':
        return this.#each(happening.inputs.map((kind) => () => this.#input(kind)));
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
      if (index > 0) await this.#anew();
      this.#answers.push(await send());
      await this.#shard.settled();
      if (index > 0) await this.#look();
    }
  }

  #input(kind: 'signal' | 'update' | 'unknown'): Promise<InputOutcome> {
    const n = this.#sent;
    if (kind === 'update') return this.#append({ kind: 'update', name: 'add', input: n });
    return this.#append({ kind: 'signal', name: kind === 'signal' ? 'go' : 'else', input: n });
  }

  async #append(body: InputBody, id = `i${this.#sent++}`): Promise<InputOutcome> {
    const input = { id, tenant: 'acme', workflowId: 'main', at: this.#clock.now(), ...body } as Input;
    return (await this.#shard.append([input]))[0]!;
  }

  #publish(): Promise<unknown> {
    const n = this.#sent++;
    return this.#shard.publish([{ tenant: 'acme', source: 's', id: `e${n}`, type: 'scan', time: 0, keys: { tracking: 'T1' }, data: { n } }]);
  }

  /** Answers whatever a worker is handed now, in an order of the program's; not what follows from it. */
  async #work(order: number): Promise<void> {
    await this.#shard.settled();
    const { tasks } = await this.#shard.poll('acme', { worker: 'w', session: 's', queues: ['default'], slots: 100, holding: [], waitMs: 0 });
    const sorted = tasks.toSorted((a, b) => (a.idempotencyKey < b.idempotencyKey ? -1 : 1));
    const answers = inOrder(sorted, order).map(perform);
    if (this.#variant === 'together') await this.#shard.answer('acme', answers);
    else {
      for (const answer of answers) {
        await this.#shard.answer('acme', [answer]);
        await this.#shard.settled();
      }
    }
    await this.#shard.settled();
  }

  /** A query leaves no trace. */
  async #look(): Promise<void> {
    if (this.#variant !== 'live' && this.#variant !== 'restored') return;
    expect((await this.#shard.query({ tenant: 'acme', workflowId: 'main', name: 'log' })).value).toHaveLength(3);
  }

  #stored(): StoredRun[] {
    const { db } = this.#file;
    const reader = new SqliteRunReader(db);
    const engine = new Engine({ deriveRunId, digest: sha256Hex });
    const runs = db.prepare('select number, workflow_id as workflowId, run_id as runId from run order by workflow_id, number').all() as unknown as { number: number; workflowId: string; runId: string }[];
    const read = db.prepare('select last, at, hash as bundle, input_id as inputId, events from transition join bundle_name on bundle_name.id = bundle where run = ? order by last');
    return runs.map(({ number, workflowId, runId }) => {
      const rows = read.all(number) as unknown as { last: number; at: number; bundle: string; inputId: string; events: string }[];
      const transitions = rows.map(({ last, at, bundle: hash, inputId, events }): Transition => {
        const bodies = JSON.parse(events) as EventBody[];
        return { first: last - bodies.length + 1, at, bundle: hash, inputId, events: bodies };
      });
      const state = transitions.reduce<RunState | undefined>((before, transition) => engine.evolve(before, transition), undefined)!;
      return { workflowId, runId, result: reader.result({ tenant: 'acme', workflowId, runId }), transitions, state };
    });
  }
}

/**
 * What follows from an input of a batch comes after the batch's other inputs. So handlers draw, and end, in another order, and one of them may end or not before its
 * run does: draws and handlers may differ. What the program itself waited for, in its own order, may not.
 */
const loose = ({ runs }: Outcome): unknown =>
  runs.map(({ workflowId, result }) => {
    const { status, result: value } = result as { status: string; result?: { log?: unknown } };
    return { workflowId, status, log: value?.log };
  });

describe('The same history, the same state', () => {
  let made: Bundle;
  let folder: string;
  const seen = new Map<string, number>();
  const snapshots = { live: 0, together: 0, restored: 0, replayed: 0 };

  beforeAll(async () => {
    made = await bundle({ source: INTERPRETER, resolveDir: import.meta.dirname });
    folder = await mkdtemp(join(tmpdir(), 'perdure-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it(
    `holds however a run got there, in ${PROGRAMS} random programs (I5, I6, I7)`,
    async () => {
      for (const [index, program] of randomPrograms(SEED, PROGRAMS).entries()) {
        // The realms of a shard that closed stay in the sandbox: a new one for each program, not for each opening, which would be slow.
        const sandbox = await Sandbox.create({ limits: { activationMs: 5_000 }, snapshotKey: KEY });
        const play = async (variant: Variant): Promise<Outcome> => {
          const one = new Play(variant, join(folder, `${index}-${variant}.db`), { made, sandbox });
          const outcome = await one.run(program);
          snapshots[variant] += one.snapshots;
          return outcome;
        };
        try {
          const live = await play('live');
          expect(live.runs.map(({ result }) => (result as { status: string }).status)).not.toContain('running');
          expect(await play('restored')).toEqual(live);
          expect(await play('replayed')).toEqual(live);
          expect(loose(await play('together'))).toEqual(loose(live));
          for (const { transitions } of live.runs) for (const { events } of transitions) for (const { kind } of events) seen.set(kind, (seen.get(kind) ?? 0) + 1);
        } catch (error) {
          throw new Error(`program ${index} of seed ${SEED}: ${JSON.stringify(program)}`, { cause: error });
        }
      }
      // The variants were what they are meant to be, and the programs did all that they can.
      expect(snapshots.restored).toBeGreaterThan(PROGRAMS);
      expect(snapshots.replayed).toBe(0);
      expect([...seen.keys()]).toEqual(expect.arrayContaining(['started', 'activityClosed', 'timerFired', 'continuedAsNew', 'completed', 'updateCompleted', 'eventReceived', 'compensated', 'childClosed']));
    },
    PROGRAMS * 10_000,
  );
});
