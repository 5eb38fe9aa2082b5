import { LIMITS, runKeyOf, type CompensationEffect, type Input, type Outcome, type RunKey, type SchedulerEffect } from '@perdure/contract';
import { outcomeOf } from './rollback-outcome.js';
import type { SagaStore } from './ports.js';
import type { AuditEntry, CompensationChange, RollbackRow } from './rows.js';

/** How an undo task closed, as the scheduler tells it. */
export interface UndoClosed {
  readonly run: RunKey;
  readonly undoSeq: number;
  readonly outcome: Outcome;
  readonly attempts?: number;
}

const keyOf = ({ run, seq }: { readonly run: RunKey; readonly seq: number }): string => `${runKeyOf(run)}\u0000${seq}`;
const stepKeyOf = (run: RunKey, undoSeq: number): string => `${runKeyOf(run)}\u0000undo\u0000${undoSeq}`;

/** Ended rollbacks that are remembered. */
const ENDED_MAX = 100_000;

/**
 * One slice of compensation: a single writer that carries out rollbacks.
 *
 * 1. A rollback's steps run one at a time, in the order given (last registered first); the next is asked for in the same batch
 *    in which the one before it closed.
 * 2. A step that fails for good is recorded, and the rest go on: what can be undone is undone. The outcome names the failures.
 * 3. A rollback asked for twice runs once, and answers with one input of a fixed id. Marks (I4) drop repeats exactly; beside them an
 *    ended rollback is remembered for `LIMITS.eventDedupeMs`, since undoing twice is worse than remembering.
 * 4. An undo is one task, however many rollbacks of its run wait for it.
 * 5. What memory says follows from the committed rows: `reset` rebuilds it. The scheduler keeps the tasks that were asked for.
 */
export class Compensator {
  readonly #store: SagaStore;
  readonly #endedMax: number;
  readonly #rollbacks = new Map<string, RollbackRow>();
  /** When those that have ended did, in that order. */
  readonly #ended = new Map<string, number>();
  /** The rollbacks that wait for each undo task. */
  readonly #waiting = new Map<string, string[]>();
  #changes: CompensationChange[] = [];
  #inputs: Input[] = [];
  #effects: SchedulerEffect[] = [];
  #lastOrder = 0;

  private constructor(store: SagaStore, endedMax: number) {
    this.#store = store;
    this.#endedMax = endedMax;
  }

  static async open(store: SagaStore, { endedMax = ENDED_MAX }: { readonly endedMax?: number } = {}): Promise<Compensator> {
    const compensator = new Compensator(store, endedMax);
    await compensator.reset();
    return compensator;
  }

  get running(): number {
    return this.#rollbacks.size;
  }

  receive(effects: readonly CompensationEffect[]): void {
    for (const request of effects) {
      const key = keyOf(request);
      if (this.#rollbacks.has(key) || this.#ended.has(key)) continue;
      const row: RollbackRow = { key, order: ++this.#lastOrder, request, done: [] };
      this.#audit(row, { kind: 'rollbackStarted', at: request.at, steps: request.steps.length });
      this.#advance(row, request.at);
    }
  }

  /** Undo tasks closed. One that no rollback waits for is a repetition, and dropped. */
  closed(closings: readonly UndoClosed[], nowMs: number): void {
    for (const closing of closings) {
      const stepKey = stepKeyOf(closing.run, closing.undoSeq);
      const keys = this.#waiting.get(stepKey) ?? [];
      this.#waiting.delete(stepKey);
      for (const key of keys) this.#closeStep(this.#rollbacks.get(key)!, closing, nowMs);
    }
  }

  takeChanges(): CompensationChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }
  takeInputs(): Input[] {
    const inputs = this.#inputs;
    this.#inputs = [];
    return inputs;
  }
  takeEffects(): SchedulerEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** As of every slice. Nothing is held back here: what leaves are inputs and effects, which their takers hold back. */
  committed(): void {
    // Nothing waits for the commit.
  }

  async reset(): Promise<void> {
    for (const each of [this.#rollbacks, this.#ended, this.#waiting]) each.clear();
    [this.#changes, this.#inputs, this.#effects, this.#lastOrder] = [[], [], [], 0];
    const ended: { readonly key: string; readonly endedAt: number }[] = [];
    for (const row of await this.#store.load()) {
      this.#lastOrder = Math.max(this.#lastOrder, row.order);
      if (row.endedAt === undefined) this.#await(row);
      else ended.push({ key: row.key, endedAt: row.endedAt });
    }
    for (const { key, endedAt } of ended.sort((a, b) => a.endedAt - b.endedAt)) this.#ended.set(key, endedAt);
  }

  #closeStep(row: RollbackRow, { undoSeq, outcome, attempts }: UndoClosed, nowMs: number): void {
    const { name, activitySeq } = row.request.steps[row.done.length]!;
    this.#audit(row, { kind: 'stepClosed', at: nowMs, step: { undoSeq, name, activitySeq }, outcome, ...(attempts === undefined ? {} : { attempts }) });
    const kept: Outcome = outcome.status === 'completed' ? { status: 'completed' } : outcome;
    this.#advance({ ...row, done: [...row.done, { undoSeq, outcome: kept }] }, nowMs);
  }

  /** Asks for the next step, or answers when there is none. */
  #advance(row: RollbackRow, nowMs: number): void {
    const { request, done } = row;
    const step = request.steps[done.length];
    if (!step) return this.#end(row, nowMs);
    this.#changes.push({ kind: 'putRollback', row });
    if (!this.#await(row)) return;
    const { run, bundle, workflowType, trace } = request;
    this.#effects.push({ to: 'scheduler', kind: 'scheduleTask', run, seq: step.undoSeq, role: 'undo', name: step.name, input: { ...step.undo }, options: step.options, bundle, workflowType, at: nowMs, ...(trace === undefined ? {} : { trace }) });
  }

  /** Whether it is the first to wait for its step. */
  #await(row: RollbackRow): boolean {
    this.#rollbacks.set(row.key, row);
    const stepKey = stepKeyOf(row.request.run, row.request.steps[row.done.length]!.undoSeq);
    const keys = this.#waiting.get(stepKey) ?? [];
    this.#waiting.set(stepKey, [...keys, row.key]);
    return keys.length === 0;
  }

  #end(row: RollbackRow, nowMs: number): void {
    const { request, key } = row;
    const outcome = outcomeOf(row);
    this.#rollbacks.delete(key);
    this.#ended.set(key, nowMs);
    this.#changes.push({ kind: 'putRollback', row: { ...row, request: { ...request, steps: [] }, done: [], endedAt: nowMs } });
    this.#forgetEnded(nowMs);
    this.#audit(row, { kind: 'rollbackEnded', at: nowMs, outcome });
    this.#inputs.push({ kind: 'compensated', id: `${request.run.runId}/${request.seq}/compensated`, ...request.run, at: nowMs, seq: request.seq, outcome });
  }

  #forgetEnded(nowMs: number): void {
    for (const [key, endedAt] of this.#ended) {
      if (this.#ended.size <= this.#endedMax && nowMs - endedAt < LIMITS.eventDedupeMs) return;
      this.#ended.delete(key);
      this.#changes.push({ kind: 'deleteRollback', key });
    }
  }

  #audit({ request: { run, seq, cause } }: RollbackRow, entry: Omit<AuditEntry, 'id' | 'run' | 'cause'>): void {
    this.#changes.push({ kind: 'audit', entry: { id: `${run.runId}/${seq}/${entry.kind}${entry.step ? `/${entry.step.undoSeq}` : ''}`, run, cause, ...entry } });
  }
}
