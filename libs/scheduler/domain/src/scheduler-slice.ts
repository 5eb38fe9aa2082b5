import { idempotencyKeyOf, runKeyOf, type SchedulerEffect } from '@perdure/contract';
import { SliceMachine, type Links, type MessageBody, type Outgoing, type SliceMap, type SliceWork } from '@perdure/delivery';
import type { SchedulerOptions } from './scheduler-options.js';
import { Scheduler } from './scheduler.js';
import type { SchedulerChange } from './task-row.js';

export interface SchedulerSliceOptions extends SchedulerOptions {
  readonly map: Pick<SliceMap, 'destinationOf'>;
}

/** A slice of the scheduler as its owner drives it: tasks and timers in, inputs for history and undo closings for compensation out. */
export class SchedulerSlice extends SliceMachine<readonly SchedulerChange[]> {
  /** Where workers come for work. */
  readonly scheduler: Scheduler;
  readonly #map: Pick<SliceMap, 'destinationOf'>;
  readonly #now: () => number;

  private constructor(scheduler: Scheduler, { map, clock }: Pick<SchedulerSliceOptions, 'map' | 'clock'>) {
    super();
    this.scheduler = scheduler;
    this.#map = map;
    this.#now = () => clock.now();
  }

  static async open(options: SchedulerSliceOptions): Promise<SchedulerSlice> {
    const scheduler = new Scheduler(options);
    await scheduler.open();
    return new SchedulerSlice(scheduler, options);
  }

  override async take(works: readonly SliceWork[]): Promise<readonly Outgoing[]> {
    const effects: SchedulerEffect[] = [];
    for (const work of works) if (work.kind === 'message' && work.body.to === 'scheduler') effects.push(work.body);
    this.scheduler.receive(effects);
    const bodies: MessageBody[] = this.scheduler.takeInputs().map((input) => ({ to: 'history', input }));
    const at = this.#now();
    for (const closing of this.scheduler.takeUndoClosings()) bodies.push({ to: 'compensation', kind: 'undoClosed', ...closing, at });
    return bodies.map((body) => ({ destination: this.#map.destinationOf(body), body }));
  }

  /** What was asked cannot be stored: whoever asked has its own timeouts. */
  override async refuse(): Promise<readonly Outgoing[]> {
    return [];
  }

  override takeRows(): readonly SchedulerChange[] | undefined {
    const changes = this.scheduler.takeChanges();
    return changes.length > 0 ? changes : undefined;
  }
  override committed(): void {
    this.scheduler.committed();
  }
  override takeBack(): Promise<void> {
    return this.scheduler.reset();
  }

  override linksOf(body: MessageBody): Links {
    if (body.to !== 'scheduler') return {};
    const run = runKeyOf(body.run);
    switch (body.kind) {
      case 'scheduleTask':
        return body.role === 'undo' ? {} : { names: [`task ${idempotencyKeyOf(body)}`, run] };
      case 'cancelTask':
        return { undoes: `task ${idempotencyKeyOf({ ...body, role: 'activity' })}` };
      case 'armTimer':
        return { names: [`timer ${run} ${body.seq}`, run] };
      case 'disarmTimer':
        return { undoes: `timer ${run} ${body.seq}` };
      case 'dropRun':
        return { undoes: run };
    }
  }

  override close(): void {
    this.scheduler.close();
  }
}
