import { runKeyOf, type CompensationEffect, type Failure, type Input, type Outcome, type RunKey, type SchedulerEffect } from '@perdure/contract';
import type { SagaStore } from './ports.js';
import type { AuditEntry, CompensationChange, RollbackRow } from './rows.js';

/** How an undo task closed, as the scheduler tells it. */
export interface UndoClosed {
  readonly run: RunKey;
  readonly undoSeq: number;
  readonly outcome: Outcome;
}

const keyOf = ({ run, seq }: { readonly run: RunKey; readonly seq: number }): string => `${runKeyOf(run)}\u0000${seq}`;
const stepKeyOf = (run: RunKey, undoSeq: number): string => `${runKeyOf(run)}\u0000undo\u0000${undoSeq}`;

/**
 * One slice of compensation: a single writer that carries out rollbacks.
 *
 * 1. A rollback's steps run one at a time, in the order given (last registered first); the next is asked for in the same batch
 *    in which the one before it closed.
 * 2. A step that fails for good is recorded, and the rest go on: what can be undone is undone. The outcome names the failures.
 * 3. A rollback asked for twice runs once. Its answer is one input with a fixed id.
 * 4. What memory says follows from the committed rows: `reset` rebuilds it. The scheduler keeps the tasks that were asked for.
 */
export class Compensator {
  readonly #store: SagaStore;
  readonly #rollbacks = new Map<string, RollbackRow>();
  /** The step that each running undo task belongs to. */
  readonly #running = new Map<string, string>();
  #changes: CompensationChange[] = [];
  #inputs: Input[] = [];
  #effects: SchedulerEffect[] = [];
  #lastOrder = 0;

  private constructor(store: SagaStore) {
    this.#store = store;
  }

  static async open(store: SagaStore): Promise<Compensator> {
    const compensator = new Compensator(store);
    await compensator.reset();
    return compensator;
  }

  get running(): number {
    return this.#rollbacks.size;
  }

  receive(effects: readonly CompensationEffect[]): void {
    for (const request of effects) {
      const key = keyOf(request);
      if (this.#rollbacks.has(key)) continue;
      const row: RollbackRow = { key, order: ++this.#lastOrder, request, done: [] };
      this.#audit(row, { kind: 'rollbackStarted', at: request.at, steps: request.steps.length });
      this.#advance(row, request.at);
    }
  }

  /** An undo task closed. One that belongs to no running step is a repetition, and dropped. */
  closed(closings: readonly UndoClosed[], nowMs: number): void {
    for (const { run, undoSeq, outcome } of closings) {
      const key = this.#running.get(stepKeyOf(run, undoSeq));
      const row = key === undefined ? undefined : this.#rollbacks.get(key);
      if (!row) continue;
      this.#running.delete(stepKeyOf(run, undoSeq));
      const step = row.request.steps[row.done.length]!;
      this.#audit(row, { kind: 'stepClosed', at: nowMs, step: { undoSeq, name: step.name, activitySeq: step.activitySeq }, outcome });
      this.#advance({ ...row, done: [...row.done, { undoSeq, outcome }] }, nowMs);
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

  async reset(): Promise<void> {
    this.#rollbacks.clear();
    this.#running.clear();
    [this.#changes, this.#inputs, this.#effects, this.#lastOrder] = [[], [], [], 0];
    for (const row of await this.#store.load()) {
      this.#lastOrder = Math.max(this.#lastOrder, row.order);
      this.#remember(row);
    }
  }

  #remember(row: RollbackRow): void {
    this.#rollbacks.set(row.key, row);
    const step = row.request.steps[row.done.length];
    if (step) this.#running.set(stepKeyOf(row.request.run, step.undoSeq), row.key);
  }

  /** Asks for the next step, or answers when there is none. */
  #advance(row: RollbackRow, nowMs: number): void {
    const { request, done } = row;
    const step = request.steps[done.length];
    if (!step) return this.#finish(row, nowMs);
    this.#remember(row);
    this.#changes.push({ kind: 'putRollback', row });
    const { run, bundle, workflowType, trace } = request;
    this.#effects.push({ to: 'scheduler', kind: 'scheduleTask', run, seq: step.undoSeq, role: 'undo', name: step.name, input: { ...step.undo }, options: step.options, bundle, workflowType, at: nowMs, ...(trace === undefined ? {} : { trace }) });
  }

  #finish(row: RollbackRow, nowMs: number): void {
    const { request, key } = row;
    const outcome = outcomeOf(row);
    if (this.#rollbacks.delete(key)) this.#changes.push({ kind: 'deleteRollback', key });
    this.#audit(row, { kind: 'rollbackEnded', at: nowMs, outcome });
    this.#inputs.push({ kind: 'compensated', id: `${request.run.runId}/${request.seq}/compensated`, ...request.run, at: nowMs, seq: request.seq, outcome });
  }

  #audit({ request: { run, seq, cause } }: RollbackRow, entry: Omit<AuditEntry, 'id' | 'run' | 'cause'>): void {
    this.#changes.push({ kind: 'audit', entry: { id: `${run.runId}/${seq}/${entry.kind}${entry.step ? `/${entry.step.undoSeq}` : ''}`, run, cause, ...entry } });
  }
}

const outcomeOf = ({ request, done }: RollbackRow): Outcome => {
  const failed = done.flatMap(({ outcome }, index) => (outcome.status === 'completed' ? [] : [{ step: request.steps[index]!, error: outcome.error }]));
  if (failed.length === 0) return { status: 'completed' };
  const names = failed.map(({ step, error }) => `${step.name} (for activity ${step.activitySeq}): ${error.message}`);
  const error: Failure = { type: 'CompensationFailed', message: `${failed.length} of ${done.length} undo steps failed: ${names.join('; ')}`, cause: failed[0]!.error };
  return { status: 'failed', error };
};
