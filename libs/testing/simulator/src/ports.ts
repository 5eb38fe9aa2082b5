import type { InputRef } from '@perdure/contract';
import { CorrelationStore, EventArchive, WaitStore, type CorrelationChange } from '@perdure/correlation';
import { SagaStore } from '@perdure/compensation';
import { Bus, LogArchive, Logs, SliceStore, StoreFault, TrimmableLog, type Confirmation, type Envelope, type LogEntry, type LogName, type LogRecord, type Segment, type SliceCommit, type SliceHead, type SliceName } from '@perdure/delivery';
import { jsonCopy } from '@perdure/delivery/testing';
import { StateStore, type RunRef, type ShardHead, type RunRow, type StoredTransition, type InputRow, type SnapshotRow } from '@perdure/history';
import { TaskStore, TimerStore, type TaskRow, type TimerRow } from '@perdure/scheduler';
import type { Disk } from './disk.js';
import type { SimProcess } from './sim-process.js';

const away = (): StoreFault => new StoreFault('unavailable', 'the store does not answer');
const unknown = (): StoreFault => new StoreFault('commitUnknown', 'the connection broke while committing');

/** A slice's store as one process reaches it: it answers late, not at all, or says neither yes nor no. */
export class SimSliceStore extends SliceStore<unknown> {
  readonly #process: SimProcess;
  readonly #disk: Disk;
  readonly #slice: SliceName;

  constructor(process: SimProcess, disk: Disk, slice: SliceName) {
    super();
    this.#process = process;
    this.#disk = disk;
    this.#slice = slice;
  }

  override async head(): Promise<SliceHead> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    return this.#inner.head();
  }

  override async epoch(): Promise<number> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    return this.#inner.epoch();
  }

  override async takeOver(from: number): Promise<void> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    await this.#inner.takeOver(from);
    this.#process.kernel.note(this.#process.name, `owns ${this.#slice} at epoch ${from + 1}`);
  }

  override async countTry(epoch: number, work: string): Promise<number> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    if (this.#isOut) throw away();
    return this.#inner.countTry(epoch, work);
  }

  override async survived(epoch: number, work: string): Promise<void> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    await this.#inner.survived(epoch, work);
  }

  override async release(epoch: number): Promise<void> {
    await this.#process.gate();
    await this.#inner.release(epoch);
  }

  override commit(commit: SliceCommit<unknown>): Promise<void> {
    const { kernel, faults, name } = this.#process;
    const { random } = kernel;
    return new Promise((resolve, reject) => {
      if (!this.#process.isAlive) return;
      const answer = (settle: () => void): void => void this.#process.after(this.#process.latencyMs(), settle);
      const say = (what: string): void => kernel.note(name, `${this.#slice} ${commit.epoch}:${commit.cursor.to} ${what}`);
      kernel.after(this.#process.latencyMs(), () => {
        const landing = async (): Promise<void> => {
          await this.#disk.commit(this.#slice, commit);
          say('committed');
        };
        if (random.chance(faults.storeUnavailableP) || this.#isOut) {
          say('store unavailable');
          return answer(() => reject(away()));
        }
        if (random.chance(faults.storeUnknownNotP)) {
          say('unknown, and not committed');
          return answer(() => reject(unknown()));
        }
        if (random.chance(faults.storeUnknownLateP)) {
          say('unknown, and may land later');
          kernel.after(random.int(1, 4_000), () => void landing().catch((error: unknown) => say(`did not land: ${(error as Error).message}`)));
          return answer(() => reject(unknown()));
        }
        if (isOfSeveral(commit) && random.chance(faults.storeRefusesP)) {
          say('refused by content');
          return answer(() => reject(new StoreFault('contentRefused', 'too much at once')));
        }
        const isUnknown = random.chance(faults.storeUnknownDoneP);
        landing().then(
          () => answer(() => (isUnknown ? reject(unknown()) : resolve())),
          (error: unknown) => {
            say(`refused: ${(error as Error).message}`);
            answer(() => reject(error as Error));
          },
        );
      });
    });
  }

  get #isOut(): boolean {
    return (this.#disk.outages.get(this.#slice) ?? 0) > this.#process.kernel.now;
  }

  get #inner(): SliceStore<unknown> {
    return this.#disk.stores.get(this.#slice)!;
  }
}

/** Only what a batch of several works can be: each of its works alone is then taken. */
const isOfSeveral = ({ rows }: SliceCommit<unknown>): boolean => {
  const transitions = (rows as { readonly transitions?: readonly { readonly inputId: string }[] } | undefined)?.transitions;
  return transitions !== undefined && new Set(transitions.map(({ inputId }) => inputId).filter((id) => !id.endsWith('/continued'))).size > 1;
};

/** History's rows as one process reads them. */
export class SimStateStore extends StateStore {
  readonly #process: SimProcess;
  readonly #inner: StateStore;

  constructor(process: SimProcess, inner: StateStore) {
    super();
    this.#process = process;
    this.#inner = inner;
  }

  override head(): Promise<ShardHead> {
    return this.#ask(() => this.#inner.head());
  }
  override findRun(ref: RunRef): Promise<RunRow | undefined> {
    return this.#ask(() => this.#inner.findRun(ref));
  }
  override transitions(run: number, page: { readonly fromEvent: number; readonly limit: number }): Promise<readonly StoredTransition[]> {
    return this.#ask(() => this.#inner.transitions(run, page));
  }
  override findInput(ref: InputRef): Promise<InputRow | undefined> {
    return this.#ask(() => this.#inner.findInput(ref));
  }
  override findSnapshot(run: number): Promise<SnapshotRow | undefined> {
    return this.#ask(() => this.#inner.findSnapshot(run));
  }
  override findDigest(run: number, last: number): Promise<Uint8Array | undefined> {
    return this.#ask(() => this.#inner.findDigest(run, last));
  }
  override commit(): Promise<void> {
    throw new Error('history commits by its slice');
  }
  override purge(): Promise<number> {
    throw new Error('nothing is purged here');
  }

  async #ask<T>(run: () => Promise<T>): Promise<T> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    return run();
  }
}

/** The stores of the other services, likewise. */
export const simTaskStore = (process: SimProcess, inner: TaskStore): TaskStore =>
  new (class extends TaskStore {
    override async load(): Promise<Iterable<TaskRow>> {
      await process.gate(process.faults.readFailsP, away);
      return inner.load();
    }
    override commit(): Promise<void> {
      throw new Error('the scheduler commits by its slice');
    }
  })();

export const simTimerStore = (process: SimProcess, inner: TimerStore): TimerStore =>
  new (class extends TimerStore {
    override async load(): Promise<Iterable<TimerRow>> {
      await process.gate();
      return inner.load();
    }
    override commit(): Promise<void> {
      throw new Error('the scheduler commits by its slice');
    }
  })();

export const simSagaStore = (process: SimProcess, inner: SagaStore): SagaStore =>
  new (class extends SagaStore {
    override async load(): ReturnType<SagaStore['load']> {
      await process.gate(process.faults.readFailsP, away);
      return inner.load();
    }
    override commit(): Promise<void> {
      throw new Error('compensation commits by its slice');
    }
  })();

export class SimCorrelationStore extends CorrelationStore {
  override readonly waits: WaitStore;
  override readonly events: EventArchive;

  constructor(process: SimProcess, inner: CorrelationStore) {
    super();
    const ask = async <T>(run: () => Promise<T>): Promise<T> => {
      await process.gate(process.faults.readFailsP, away);
      return run();
    };
    this.waits = { load: () => ask(() => inner.waits.load()) };
    this.events = { load: () => ask(() => inner.events.load()), lastArrival: () => ask(() => inner.events.lastArrival()), find: (arrival) => ask(() => inner.events.find(arrival)), isKnown: (identity) => ask(() => inner.events.isKnown(identity)) };
  }

  override commit(_changes: readonly CorrelationChange[]): Promise<void> {
    throw new Error('correlation commits by its slice');
  }
}

class SimLog extends TrimmableLog {
  readonly #process: SimProcess;
  readonly #inner: TrimmableLog & { write(entries: readonly LogEntry[]): void };
  readonly #slice: SliceName;

  constructor(process: SimProcess, disk: Disk, slice: SliceName) {
    super();
    this.#process = process;
    this.#slice = slice;
    const inner = disk.logs.get(slice);
    if (!inner) throw new Error(`${slice} has no log`);
    this.#inner = inner;
  }

  override async describe(): Promise<{ readonly identity: string; readonly begin: number; readonly end: number }> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    return this.#inner.describe();
  }

  override async read(offset: number, limit: number): Promise<readonly LogRecord[]> {
    await this.#process.gate(this.#process.faults.readFailsP, away);
    return this.#inner.read(offset, limit);
  }

  /** What is not acknowledged may be there or not: a lost request, a tail that a dying broker had not synced, a lost answer. */
  override append(entries: readonly LogEntry[]): Promise<void> {
    const { kernel, name } = this.#process;
    return this.#process.call(() => {
      this.#inner.write(entries);
      kernel.note(name, `${this.#slice} < ${entries.map(({ body, origin }) => `${body.kind === 'input' ? `${body.input.kind} ${body.input.workflowId} ${body.input.id}` : `event ${body.event.id}`}${origin ? ` (${origin.source}#${origin.number})` : ''}`).join(', ')}`);
    });
  }

  override trim(offset: number): Promise<void> {
    return this.#process.call(() => this.#inner.trim(offset));
  }

  override onAppend(listener: () => void): () => void {
    return this.#inner.onAppend(() => void this.#process.after(this.#process.latencyMs(), listener));
  }
}

export class SimLogArchive extends LogArchive {
  readonly #process: SimProcess;
  readonly #inner: LogArchive;

  constructor(process: SimProcess, inner: LogArchive) {
    super();
    this.#process = process;
    this.#inner = inner;
  }

  override segments(log: LogName): Promise<readonly Segment[]> {
    return this.#process.call(() => this.#inner.segments(log));
  }
  override put(log: LogName, segment: Segment, text: string): Promise<boolean> {
    return this.#process.call(() => this.#inner.put(log, segment, text));
  }
  override get(log: LogName, segment: Segment): Promise<string> {
    return this.#process.call(() => this.#inner.get(log, segment));
  }
}

export class SimLogs extends Logs {
  readonly #process: SimProcess;
  readonly #disk: Disk;
  readonly #logs = new Map<SliceName, TrimmableLog>();

  constructor(process: SimProcess, disk: Disk) {
    super();
    this.#process = process;
    this.#disk = disk;
  }

  override of(slice: SliceName): TrimmableLog {
    let log = this.#logs.get(slice);
    if (!log) this.#logs.set(slice, (log = new SimLog(this.#process, this.#disk, slice)));
    return log;
  }
}

/** Loses, repeats, delays and so reorders. */
export class SimBus extends Bus {
  readonly #process: SimProcess;
  readonly #deliver: { envelope(envelope: Envelope): void; confirmation(confirmation: Confirmation): void };

  constructor(process: SimProcess, deliver: { envelope(envelope: Envelope): void; confirmation(confirmation: Confirmation): void }) {
    super();
    this.#process = process;
    this.#deliver = deliver;
  }

  override send(envelope: Envelope): void {
    const { source, destination, mark, messages } = envelope;
    this.#carry(`${source} > ${destination} mark ${mark}: ${messages.map(({ number, body }) => `#${number} ${'kind' in body ? body.kind : body.input.kind}`).join(', ')}`, () => this.#deliver.envelope(jsonCopy(envelope)));
  }

  override confirm(confirmation: Confirmation): void {
    const { source, destination, numbers } = confirmation;
    this.#carry(`${destination} has of ${source}: ${numbers.join(', ')}`, () => this.#deliver.confirmation(confirmation));
  }

  #carry(what: string, arrive: () => void): void {
    const { kernel, faults, name } = this.#process;
    if (!this.#process.isAlive) return;
    if (kernel.random.chance(faults.lossP)) return kernel.note(name, `lost: ${what}`);
    kernel.note(name, what);
    kernel.after(this.#process.latencyMs(), arrive);
    if (kernel.random.chance(faults.repeatP)) kernel.after(kernel.random.int(1, 5_000), arrive);
  }
}
