import type { CompensationChange } from '@perdure/compensation';
import { MemorySagaStore } from '@perdure/compensation/testing';
import type { CorrelationChange } from '@perdure/correlation';
import { MemoryCorrelationStore } from '@perdure/correlation/testing';
import { serviceOf, StoreFault, type SliceCommit, type SliceName } from '@perdure/delivery';
import { MemoryLog, MemoryLogArchive, MemorySliceStore } from '@perdure/delivery/testing';
import type { Guards } from '@perdure/guards';
import type { HistoryCommit } from '@perdure/history';
import { MemoryStateStore } from '@perdure/history/testing';
import type { SchedulerChange } from '@perdure/scheduler';
import { MemoryTaskStore, MemoryTimerStore } from '@perdure/scheduler/testing';
import { damaged } from './damage.js';
import type { HandOuts } from './hand-outs.js';
import type { Kernel } from './kernel.js';

/** Text that the store does not take: a batch that holds it is refused by its content. */
export const INDIGESTIBLE = 'indigestible';

/** What outlives every process: the stores and logs of all slices. It watches what is written, for the oracles. */
export class Disk {
  readonly #kernel: Kernel;
  readonly #handOuts: HandOuts;
  readonly history = new Map<SliceName, MemoryStateStore>();
  readonly tasks = new Map<SliceName, MemoryTaskStore>();
  readonly timers = new Map<SliceName, MemoryTimerStore>();
  readonly correlation = new Map<SliceName, MemoryCorrelationStore>();
  readonly sagas = new Map<SliceName, MemorySagaStore>();
  readonly stores = new Map<SliceName, MemorySliceStore<unknown>>();
  readonly logs = new Map<SliceName, MemoryLog>();
  readonly archive = new MemoryLogArchive();
  /** Until when a slice's store takes nothing. */
  readonly outages = new Map<SliceName, number>();
  /** Runs of which a snapshot was damaged. */
  readonly damaged = new Set<string>();
  /** Keys of tasks and timers that were ever put. */
  readonly #put = new Set<string>();

  constructor({ kernel, slices, guards, handOuts }: { readonly kernel: Kernel; readonly slices: readonly SliceName[]; readonly guards: Guards; readonly handOuts: HandOuts }) {
    this.#kernel = kernel;
    this.#handOuts = handOuts;
    for (const slice of slices) {
      this.stores.set(slice, new MemorySliceStore<unknown>(this.#writer(slice), guards));
      if (serviceOf(slice) === 'history' || serviceOf(slice) === 'correlation') this.logs.set(slice, new MemoryLog(`log-of-${slice}`));
    }
  }

  /** Writes it if the fence lets it, and says so when that should not have been (I3). @throws StoreFault */
  async commit(slice: SliceName, commit: SliceCommit<unknown>): Promise<void> {
    const store = this.stores.get(slice)!;
    const before = { epoch: store.epochNow, cursor: store.cursor, offset: store.log?.offset ?? 0 };
    await store.commit(commit);
    const { epoch, cursor, log } = commit;
    if (epoch !== before.epoch) this.#kernel.violate('I3', `${slice}: an owner of epoch ${epoch} committed while the slice was at epoch ${before.epoch}`);
    if (cursor.from !== before.cursor) this.#kernel.violate('I3', `${slice}: a batch made at cursor ${cursor.from} was committed at cursor ${before.cursor}`);
    if ((log?.offset ?? 0) < before.offset) this.#kernel.violate('I2', `${slice}: went back from record ${before.offset} to ${log?.offset ?? 0}`);
  }

  /** A bad disk, or somebody who can write to the store: a digit of a realm's image is another, or the snapshot is gone (I7). */
  damageSnapshot(): void {
    const { random } = this.#kernel;
    const store = random.pick([...this.history.values()]);
    const rows = [...store.snapshots.values()];
    if (rows.length === 0) return;
    const row = random.pick(rows);
    if (random.chance(0.2)) {
      this.#kernel.note('disk', `the snapshot of run ${row.run} is gone`);
      return void store.snapshots.delete(row.run);
    }
    const body = damaged(row.body, random);
    if (!body) return;
    this.#kernel.note('disk', `the snapshot of run ${row.run} is damaged`);
    store.snapshots.set(row.run, { ...row, body });
    const runId = store.runs.get(row.run)?.runId;
    if (runId !== undefined) this.damaged.add(runId);
  }

  #writer(slice: SliceName): (rows: unknown) => void {
    switch (serviceOf(slice)) {
      case 'history': {
        const store = new MemoryStateStore();
        this.history.set(slice, store);
        return (rows) => {
          if ((rows as HistoryCommit).transitions.some(({ events }) => events.includes(INDIGESTIBLE))) throw new StoreFault('contentRefused', 'a row cannot be stored');
          store.write(rows as HistoryCommit);
        };
      }
      case 'scheduler': {
        const [tasks, timers] = [new MemoryTaskStore(), new MemoryTimerStore()];
        this.tasks.set(slice, tasks);
        this.timers.set(slice, timers);
        return (rows) => {
          for (const change of rows as readonly SchedulerChange[]) {
            if (change.kind === 'putTask') this.#once(slice, `task ${change.row.key}`);
            if ('state' in change) this.#handOuts.kept(change.key, change.state.progress);
            if (change.kind === 'putTimer') this.#once(slice, `timer ${change.row.key}`);
            if (change.kind === 'putTimer' || change.kind === 'deleteTimer') timers.write(change);
            else tasks.write(change);
          }
        };
      }
      case 'correlation': {
        const store = new MemoryCorrelationStore();
        this.correlation.set(slice, store);
        return (rows) => void store.commit(rows as readonly CorrelationChange[]);
      }
      case 'compensation': {
        const store = new MemorySagaStore();
        this.sagas.set(slice, store);
        return (rows) => void store.commit(rows as readonly CompensationChange[]);
      }
    }
  }

  /** A task or timer comes once: a second time its effect was applied twice (I4). */
  #once(slice: SliceName, key: string): void {
    if (this.#put.has(key)) this.#kernel.violate('I4', `${slice}: the effect that makes ${key} was applied twice`);
    this.#put.add(key);
  }
}
