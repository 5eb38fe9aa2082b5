import { Compensator } from '@perdure/compensation';
import { LIMITS, runKeyOf, type CompensationEffect, type CorrelationEffect, type Effect, type ExternalEvent, type Input, type SchedulerEffect } from '@perdure/contract';
import { Correlator } from '@perdure/correlation';
import type { Envelope } from '@perdure/delivery';
import { Engine } from '@perdure/engine';
import { ShardProcessor, SoleOwner, type Decided } from '@perdure/history';
import { SandboxRealms, ShardObserver, SUSPENDED, suspensionLine, type MetricJson } from '@perdure/hosting';
import { deriveRunId, sha256Hex } from '@perdure/identity';
import { Scheduler } from '@perdure/scheduler';
import { MEMORY, SqliteCorrelationStore, SqliteSagaStore, SqliteSchedulerStore, SqliteStateStore, type ShardFile } from '@perdure/sqlite';
import { FileBatchNote, MemoryBatchNote, type BatchNote } from './batch-note.js';
import { Inbox } from './inbox.js';
import { Peers, type PeerEffect } from './peers/peers.js';
import type { EmbeddedShardOptions } from './shard-options.js';
import { Suspects } from './suspects.js';

/** What the shard wants to know of its machines. */
export interface MachineEvents {
  /** There is something to do that nobody outside brought. */
  readonly wake: () => void;
  readonly outcome: (decided: Decided) => void;
  readonly closed: (runKey: string) => void;
}

/** Inputs that one batch works off in all; the rest of what follows waits in the inbox. */
const PROCESSED_MAX = LIMITS.batchInputsMax * 8;

/**
 * The four state machines of a shard over one file, and what goes between them within one batch.
 *
 * 1. Everything here changes memory, until `write` puts all of it into one transaction; nothing is told before `committed`.
 * 2. After `takeBack` all of them are as the file says (I3).
 */
export class ShardMachines {
  readonly inbox: Inbox;
  readonly observer: ShardObserver;
  readonly peers: Peers | undefined;
  readonly suspects: Suspects;
  processor!: ShardProcessor;
  scheduler!: Scheduler;
  correlator!: Correlator;
  compensator!: Compensator;
  readonly #options: EmbeddedShardOptions;
  readonly #state: SqliteStateStore;
  readonly #schedulerStore: SqliteSchedulerStore;
  readonly #correlationStore: SqliteCorrelationStore;
  readonly #sagaStore: SqliteSagaStore;

  private constructor(options: EmbeddedShardOptions, { wake }: MachineEvents) {
    this.#options = options;
    const { file, clock, random, peers, onSpans } = options;
    this.#schedulerStore = new SqliteSchedulerStore(file);
    this.#correlationStore = new SqliteCorrelationStore(file);
    this.#sagaStore = new SqliteSagaStore(file);
    this.#state = new SqliteStateStore(file, (run) => this.#sagaStore.forgetRun(run));
    this.inbox = new Inbox(file);
    const onFailed = (error: unknown): void => options.log?.('warn', 'what runs cannot be noted: should it kill the server, its neighbours may be taken for it', { shard: file.shard, error: String(error) });
    this.suspects = new Suspects(file, { note: options.note ?? noteOf(file, onFailed), onFailed });
    this.peers = peers && new Peers({ ...peers, file, clock, random, wake });
    this.observer = new ShardObserver({ clock, ...(onSpans ? { report: onSpans } : {}) });
  }

  static async open(options: EmbeddedShardOptions, events: MachineEvents): Promise<ShardMachines> {
    const machines = new ShardMachines(options, events);
    await machines.#open(events);
    return machines;
  }

  async #open(events: MachineEvents): Promise<void> {
    const { bundles, sandbox, snapshotKey, stacks, limits, clock, random, file, eventsBufferedMax } = this.#options;
    const { observer } = this;
    this.processor = await ShardProcessor.open(
      {
        engine: new Engine({ deriveRunId, digest: sha256Hex }), bundles, store: this.#state, realms: new SandboxRealms(sandbox), ownership: new SoleOwner(file.epoch), observer,
        ...(stacks ? { stacks } : {}),
        events: this.#processorEvents(events),
      },
      { shard: file.shard, snapshotKey, ...(limits ? { limits } : {}) },
    );
    this.scheduler = new Scheduler({ tasks: this.#schedulerStore.tasks, timers: this.#schedulerStore.timers, clock, random, slice: file.shard, epoch: file.epoch, observer, wake: events.wake });
    await this.scheduler.open();
    this.correlator = await Correlator.open({ store: this.#correlationStore, ...(eventsBufferedMax === undefined ? {} : { eventsBufferedMax }) });
    this.compensator = await Compensator.open(this.#sagaStore);
  }

  #processorEvents({ outcome, closed }: MachineEvents): NonNullable<Parameters<typeof ShardProcessor.open>[0]['events']> {
    const { log } = this.#options;
    const { observer } = this;
    return {
      outcome,
      fault: (input, error, run) => {
        const { tenant, workflowId, runId } = run?.run ?? input;
        log?.('error', 'an input was set aside and its run suspended', { tenant, workflowId, runId, ...observer.traceFields(runId, run?.trace ?? input.trace), inputId: input.id, error: error.stack });
      },
      closed: (run, result) => {
        closed(runKeyOf(run));
        observer.closed(run.tenant, result);
      },
      suspended: (run, reason, trace) => {
        observer.suspended(run.tenant, reason);
        const line = suspensionLine(run, reason);
        if (line) log?.(line.level, SUSPENDED, { ...line.fields, ...observer.traceFields(run.runId, trace) });
      },
      logs: (run, logs, trace) => {
        if (!log) return;
        const fields = { ...run, ...observer.traceFields(run.runId, trace), source: 'workflow' };
        for (const { level, text } of logs) log(level === 'debug' ? 'info' : level, text, fields);
      },
    };
  }

  async metrics(): Promise<readonly MetricJson[]> {
    const { tasks, timers, sessions, poisoned } = this.scheduler.stats;
    const { waiting, buffered } = this.correlator;
    return this.observer.metrics({ tasksOpen: tasks, tasksPoisoned: poisoned, timers, sessions, waits: waiting, eventsBuffered: buffered, ready: this.scheduler.ready() });
  }

  // ── a batch ───────────────────────────────────────────────────────────────────────────────────────────────────────

  publish(events: readonly ExternalEvent[]): Promise<('accepted' | 'duplicate')[]> {
    return this.correlator.publish(events, this.#options.clock.now());
  }

  /** What another shard has sent; gives the inputs among it. */
  async takeMail(envelope: Envelope): Promise<Input[]> {
    return this.#dispatch(this.peers!.take(envelope));
  }

  /** Works off what follows from the inputs, up to a bound, and up to a suspect. Gives how many inputs it were. */
  async workOff(first: readonly Input[]): Promise<number> {
    let inputs = [...first];
    let processed = 0;
    let isLast = false;
    for (let isFirst = true; ; isFirst = false) {
      const found = await this.#gather(inputs.length);
      if (isFirst && this.#isSuspectIn(found)) {
        this.inbox.put(found);
        isLast = true;
      } else {
        inputs.push(...found);
      }
      if (inputs.length === 0 && !isFirst) return processed;
      if (!isFirst && (isLast || processed >= PROCESSED_MAX || this.#isSuspectIn(inputs))) {
        this.inbox.put(inputs);
        return processed;
      }
      processed += inputs.length;
      this.suspects.running(inputs, this.processor.cursor);
      inputs = await this.#dispatch(await this.processor.process(inputs));
    }
  }

  #isSuspectIn(inputs: readonly Input[]): boolean {
    return this.suspects.firstIn(inputs, (input) => [input]) < inputs.length;
  }

  /** Works off one input; what follows from it waits in the inbox. */
  async workOffOne(input: Input | undefined): Promise<void> {
    if (input && !this.suspects.has(input)) this.suspects.running([input], this.processor.cursor);
    await this.#keep(input ? await this.processor.process([input]) : []);
  }

  /** The input's place is taken by its refusal. `mayRecord`: what its run awaits of it can be recorded, its code is not run. */
  async refuse(input: Input, error: Error, { mayRecord }: { readonly mayRecord: boolean }): Promise<void> {
    await this.#keep(await this.processor.refuse(input, error, { mayRecord }));
  }

  async #keep(effects: readonly Effect[]): Promise<void> {
    this.inbox.put(await this.#dispatch(effects));
    for (let found = await this.#gather(1); found.length > 0; found = await this.#gather(1)) this.inbox.put(found);
  }

  /** What the machines have for history, beside so many others. */
  async #gather(others: number): Promise<Input[]> {
    const inputs = this.scheduler.takeInputs(others);
    this.compensator.closed(this.scheduler.takeUndoClosings(), this.#options.clock.now());
    // A run that waits for an event may be another shard's.
    const offers = this.correlator.takeInputs().filter((input) => !this.peers?.post({ to: 'history', input }));
    inputs.push(...offers, ...this.compensator.takeInputs(), ...(await this.#dispatch([])));
    return inputs;
  }

  /** Hands effects to the slices of this shard, and to other shards; gives those that are inputs again. */
  async #dispatch(effects: readonly (Effect | PeerEffect)[]): Promise<Input[]> {
    const inputs: Input[] = [];
    const scheduler: SchedulerEffect[] = [];
    const correlation: CorrelationEffect[] = [];
    const compensation: CompensationEffect[] = [];
    for (const effect of effects) {
      if (effect.to === 'scheduler') scheduler.push(effect);
      else if (effect.to === 'compensation') compensation.push(effect);
      else if (this.peers?.post(effect)) continue;
      else if (effect.to === 'history') inputs.push(effect.input);
      else correlation.push(effect);
    }
    if (compensation.length > 0) this.compensator.receive(compensation);
    scheduler.push(...this.compensator.takeEffects());
    if (scheduler.length > 0) this.scheduler.receive(scheduler);
    if (correlation.length > 0) await this.correlator.receive(correlation);
    return inputs;
  }

  /** One transaction with all that has changed, and `more`. Gives how long it took; undefined: nothing has. */
  write(more?: () => void): number | undefined {
    const history = this.processor.takeCommit();
    const tasks = this.scheduler.takeChanges();
    const waits = this.correlator.takeChanges();
    const sagas = this.compensator.takeChanges();
    const writePeers = this.peers?.takeChanges();
    if (!history && tasks.length === 0 && waits.length === 0 && sagas.length === 0 && !writePeers && !this.inbox.isChanged && !more) return undefined;
    const startedMs = performance.now();
    this.#options.file.transaction(() => {
      if (history) this.#state.write(history);
      this.#schedulerStore.write(tasks);
      this.#correlationStore.write(waits);
      this.#sagaStore.write(sagas);
      this.inbox.write();
      writePeers?.();
      more?.();
    });
    const tookMs = performance.now() - startedMs;
    this.observer.wrote(tookMs);
    return tookMs;
  }

  committed(): void {
    this.inbox.committed();
    this.processor.committed();
    this.correlator.committed();
    this.scheduler.committed();
    this.peers?.committed();
    this.observer.committed();
  }

  async takeBack(): Promise<void> {
    this.processor.takeBack();
    this.observer.takeBack();
    this.inbox.takeBack();
    this.peers?.takeBack();
    await this.scheduler.reset();
    await this.correlator.reset();
    await this.compensator.reset();
  }

  close(): void {
    this.scheduler.close();
    this.peers?.close();
  }
}

const noteOf = ({ path }: ShardFile, onFailed: (error: unknown) => void): BatchNote => (path === MEMORY ? new MemoryBatchNote() : new FileBatchNote(`${path}-running`, onFailed));
