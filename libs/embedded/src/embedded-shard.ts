import type { Clock } from '@perdure/clock';
import { Compensator } from '@perdure/compensation';
import { inputKeyOf, isPerdureError, LIMITS, PerdureError, runKeyOf, toPerdureError, type AnswerReceipt, type CompensationEffect, type CorrelationEffect, type Effect, type ExternalEvent, type HeartbeatRequest, type HeartbeatResponse, type Input, type InputOutcome, type Json, type PollRequest, type PollResponse, type SchedulerEffect, type TaskAnswer } from '@perdure/contract';
import { Correlator } from '@perdure/correlation';
import type { Envelope } from '@perdure/delivery';
import { Engine } from '@perdure/engine';
import { isStoreFault, ShardProcessor, SoleOwner, type BundleSource, type ProcessorLimits, type StackMapper } from '@perdure/history';
import { inspectBundle, SandboxRealms, ShardObserver, Sweeper, type InspectedBundle, type MetricJson, type SpanReport } from '@perdure/hosting';
import { deriveRunId, sha256Hex } from '@perdure/identity';
import type { Sandbox } from '@perdure/sandbox';
import { Scheduler } from '@perdure/scheduler';
import { SqliteCorrelationStore, SqliteSagaStore, SqliteSchedulerStore, SqliteStateStore, type ShardFile } from '@perdure/sqlite';
import { isFatal, rethrow } from './fatal.js';
import { Inbox } from './inbox.js';
import { Peers, singly, type PeerEffect } from './peers/peers.js';
import type { PortBus } from './peers/port-bus.js';
import { ShardGateway, type QueryRequest, type ShardFigures, type ShardHints } from './shard-gateway.js';
import type { ShardMap } from './shard-map.js';
import type { EventsWork, InputWork, MailWork, Work } from './work.js';

export interface EmbeddedShardOptions {
  readonly file: ShardFile;
  readonly bundles: BundleSource;
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly random: () => number;
  readonly snapshotKey: Uint8Array;
  readonly stacks?: StackMapper;
  readonly limits?: Partial<ProcessorLimits>;
  /** The other shards of the data folder; absent: there is none. */
  readonly peers?: { readonly map: ShardMap; readonly bus: PortBus };
  /** Closed runs are removed after so long. */
  readonly retentionMs?: number;
  /** Default `LIMITS.eventsBufferedMax`. */
  readonly eventsBufferedMax?: number;
  /** Takes the spans of traced runs, a commit at a time. Absent: traces are off. */
  readonly onSpans?: (report: SpanReport) => void;
  /** Memory is not as the file says, and only opening the file anew tells: the shard does no more. Default: an uncaught error, which ends the thread. */
  readonly onFatal?: (error: Error) => void;
  /** A line for the operator. */
  readonly log?: (level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void;
}

const STORE_AWAY_RETRY_MS = 100;
const DAY_MS = 86_400_000;
const PURGE_RUNS_MAX = 500;

/**
 * A whole shard in one thread and one file (design §8): the four state machines, and the loop that feeds them.
 *
 * 1. A batch is one transaction over all of them; what follows from an input within the shard is worked off in the same batch, up to
 *    a bound, and the rest is kept in the same transaction for the next.
 * 2. Nothing of a batch is told before its commit (I1, I4); after one that failed, all of them are as the file says (I3).
 * 3. A batch that fails by its content is tried again input by input; the one at fault is refused (I10).
 */
export class EmbeddedShard extends ShardGateway {
  readonly #options: EmbeddedShardOptions;
  readonly #state: SqliteStateStore;
  readonly #schedulerStore: SqliteSchedulerStore;
  readonly #correlationStore: SqliteCorrelationStore;
  readonly #sagaStore: SqliteSagaStore;
  readonly #inbox: Inbox;
  readonly #observer: ShardObserver;
  readonly #peers: Peers | undefined;
  #processor!: ShardProcessor;
  #scheduler!: Scheduler;
  #correlator!: Correlator;
  #compensator!: Compensator;
  #work: Work[] = [];
  #between: (() => Promise<void>)[] = [];
  #turning: Promise<void> | undefined;
  #scheduled = false;
  #woken = false;
  #closing = false;
  #isStoreAway = false;
  #isRetrySet = false;
  #sweeper: Sweeper<EmbeddedShard> | undefined;
  readonly #waiting = new Map<string, InputWork[]>();
  readonly #listeners: ((hints: ShardHints) => void)[] = [];
  #hints: { closed: string[]; decided: string[] } = { closed: [], decided: [] };
  #figures = { batches: 0, inputs: 0, commitFailures: 0, commitSeconds: 0 };

  private constructor(options: EmbeddedShardOptions) {
    super();
    this.#options = options;
    this.#schedulerStore = new SqliteSchedulerStore(options.file);
    this.#correlationStore = new SqliteCorrelationStore(options.file);
    this.#sagaStore = new SqliteSagaStore(options.file);
    this.#state = new SqliteStateStore(options.file, (run) => this.#sagaStore.forgetRun(run));
    this.#inbox = new Inbox(options.file);
    this.#peers = this.#openPeers(options);
    this.#observer = new ShardObserver({ clock: options.clock, ...(options.onSpans ? { report: options.onSpans } : {}) });
  }

  static async open(options: EmbeddedShardOptions): Promise<EmbeddedShard> {
    const shard = new EmbeddedShard(options);
    await shard.#open();
    return shard;
  }

  override async append(inputs: readonly Input[]): Promise<readonly InputOutcome[]> {
    return Promise.all(inputs.map((input) => this.#enqueue<InputOutcome>((resolve, reject) => ({ kind: 'input', input, resolve, reject }))));
  }

  override publish(events: readonly ExternalEvent[]): Promise<readonly ('accepted' | 'duplicate')[]> {
    return this.#enqueue<('accepted' | 'duplicate')[]>((resolve, reject) => ({ kind: 'events', events, resolve, reject }));
  }

  override query({ tenant, workflowId, runId, name, input }: QueryRequest): Promise<{ readonly value?: Json }> {
    const query = { name, at: this.#options.clock.now(), ...(input === undefined ? {} : { input }) };
    return this.#inTurn(() => this.#processor.query({ tenant, workflowId, ...(runId === undefined ? {} : { runId }) }, query));
  }

  override poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    return this.#scheduler.poll(tenant, request, signal);
  }
  override answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]> {
    return this.#scheduler.answer(tenant, answers);
  }
  override heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return this.#scheduler.heartbeat(tenant, requests);
  }

  override inspect(code: string): Promise<InspectedBundle> {
    return this.#inTurn(async () => inspectBundle(this.#options.sandbox, code));
  }

  override async figures(): Promise<ShardFigures> {
    return { ...this.#figures, liveRealms: this.#processor.liveRealms, queued: this.#work.length };
  }

  override async metrics(): Promise<readonly (readonly MetricJson[])[]> {
    const { tasks, timers, sessions, poisoned } = this.#scheduler.stats;
    const { waiting, buffered } = this.#correlator;
    return [await this.#observer.metrics({ tasksOpen: tasks, tasksPoisoned: poisoned, timers, sessions, waits: waiting, eventsBuffered: buffered, ready: this.#scheduler.ready() })];
  }

  override onHints(listener: (hints: ShardHints) => void): void {
    this.#listeners.push(listener);
  }

  override async drain(): Promise<void> {
    this.#scheduler.drain();
  }

  override async close(): Promise<void> {
    this.#closing = true;
    this.#sweeper?.stop();
    this.#kick();
    await this.settled();
    const error = new PerdureError('draining', 'The server is shutting down.');
    for (const work of this.#work.splice(0)) work.reject(error);
    this.#scheduler.close();
    this.#peers?.close();
    this.#options.file.close();
  }

  /** Resolves when nothing is left to do now: for tests and skippable time. */
  async settled(): Promise<void> {
    while (this.#turning || this.#scheduled) await (this.#turning ?? new Promise((resolve) => setImmediate(resolve)));
  }

  async #open(): Promise<void> {
    const { bundles, sandbox, snapshotKey, stacks, limits, clock, random, file, log, eventsBufferedMax } = this.#options;
    const engine = new Engine({ deriveRunId, digest: sha256Hex });
    this.#processor = await ShardProcessor.open(
      {
        engine, bundles, store: this.#state, realms: new SandboxRealms(sandbox), ownership: new SoleOwner(file.epoch), observer: this.#observer,
        ...(stacks ? { stacks } : {}),
        events: {
          outcome: (ref, outcome) => this.#tell(inputKeyOf(ref), outcome),
          fault: (input, error, run) => {
            const { tenant, workflowId, runId } = run?.run ?? input;
            log?.('error', 'an input was set aside and its run suspended', { tenant, workflowId, runId, ...this.#observer.traceFields(runId, run?.trace ?? input.trace), inputId: input.id, error: error.stack });
          },
          closed: (run, result) => {
            this.#hints.closed.push(runKeyOf(run));
            this.#observer.closed(run.tenant, result);
          },
          logs: (run, logs, trace) => {
            if (!log) return;
            const fields = { ...run, ...this.#observer.traceFields(run.runId, trace), source: 'workflow' };
            for (const { level, text } of logs) log(level === 'debug' ? 'info' : level, text, fields);
          },
        },
      },
      { shard: file.shard, snapshotKey, ...(limits ? { limits } : {}) },
    );
    this.#scheduler = new Scheduler({ tasks: this.#schedulerStore.tasks, timers: this.#schedulerStore.timers, clock, random, slice: file.shard, epoch: file.epoch, observer: this.#observer, wake: () => this.#wake() });
    await this.#scheduler.open();
    this.#correlator = await Correlator.open({ store: this.#correlationStore, ...(eventsBufferedMax === undefined ? {} : { eventsBufferedMax }) });
    this.#compensator = await Compensator.open(this.#sagaStore);
    this.#sweeper = new Sweeper({
      clock,
      owners: () => [this],
      sweep: (shard) => shard.#inTurn(() => shard.#sweep()),
      onFailed: (error) => log?.('warn', 'the sweep failed', { error: String(error) }),
    });
    if (!this.#inbox.isEmpty) this.#wake();
    this.#peers?.send();
  }

  #openPeers({ peers, file, clock, random }: EmbeddedShardOptions): Peers | undefined {
    if (!peers) return undefined;
    const opened = new Peers({ ...peers, file, clock, random, wake: () => this.#wake() });
    peers.bus.listen({ envelope: (envelope) => this.#receiveMail(envelope), confirmation: (confirmation) => opened.confirmed(confirmation) });
    return opened;
  }

  #receiveMail(envelope: Envelope): void {
    // Without room it is dropped: it is not confirmed, so it comes again.
    if (this.#closing || this.#work.length >= LIMITS.shardQueueMax) return;
    this.#work.push({ kind: 'mail', envelope, reject: () => undefined });
    this.#kick();
  }

  #enqueue<T>(toWork: (resolve: (value: T) => void, reject: (error: Error) => void) => Work): Promise<T> {
    if (this.#closing) return Promise.reject(new PerdureError('draining', 'The server is shutting down.'));
    if (this.#work.length >= LIMITS.shardQueueMax) return Promise.reject(new PerdureError('overloaded', `${this.#work.length} inputs wait for the shard, at most ${LIMITS.shardQueueMax} may.`));
    if (this.#peers?.isFull) return Promise.reject(new PerdureError('overloaded', 'Another shard is behind with what this one has sent it.'));
    return new Promise<T>((resolve, reject) => {
      this.#work.push(toWork(resolve, reject));
      this.#kick();
    });
  }

  /** Runs something on committed state, between batches. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#between.push(() => run().then(resolve, reject));
      this.#kick();
    });
  }

  #wake(): void {
    // A clock may still sound for a shard that has closed.
    if (this.#closing) return;
    this.#woken = true;
    this.#kickOn();
  }

  /** What arrives in one turn of the event loop makes one batch: the commit is shared. */
  #kick(): void {
    if (this.#scheduled || this.#turning || !this.#options.file.isOpen) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turning = this.#turn().finally(() => {
        this.#turning = undefined;
        if (this.#hasWork()) this.#kickOn();
      });
    });
  }

  /** What waits for a batch by itself is not tried again at once while the store takes none. */
  #kickOn(): void {
    if (!this.#isStoreAway || this.#work.length > 0) return this.#kick();
    if (this.#isRetrySet) return;
    this.#isRetrySet = true;
    const { clock } = this.#options;
    clock.at(clock.now() + STORE_AWAY_RETRY_MS, () => {
      this.#isRetrySet = false;
      this.#kick();
    });
  }

  #hasWork(): boolean {
    return this.#work.length > 0 || this.#between.length > 0 || this.#woken || !this.#inbox.isEmpty;
  }

  async #turn(): Promise<void> {
    for (const run of this.#between.splice(0)) await run();
    if (!this.#hasWork()) return;
    this.#woken = false;
    await this.#runBatch(this.#work.splice(0, LIMITS.batchInputsMax), true);
  }

  async #runBatch(works: readonly Work[], mayRetry: boolean): Promise<void> {
    try {
      await this.#feed(works);
      this.#commit();
    } catch (thrown) {
      return this.#afterFailure(works, { error: toPerdureError(thrown), mayRetry });
    }
    this.#committed(works);
  }

  async #feed(works: readonly Work[]): Promise<void> {
    const spilled = this.#inbox.take(LIMITS.batchInputsMax);
    const inputs: Input[] = [...spilled];
    for (const work of works) {
      if (work.kind === 'events') await this.#publish(work);
      else if (work.kind === 'mail') inputs.push(...(await this.#dispatch(this.#peers!.take(work.envelope))));
      else {
        inputs.push(work.input);
        const key = inputKeyOf({ ...work.input, inputId: work.input.id });
        this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), work]);
      }
    }
    await this.#workOff(inputs);
  }

  async #publish(work: EventsWork): Promise<void> {
    try {
      work.receipts = await this.#correlator.publish(work.events, this.#options.clock.now());
      work.refusal = undefined;
    } catch (thrown) {
      // There is no room for its tenant and nothing of it was taken: no fault of the batch, which others are in.
      if (!isPerdureError(thrown) || thrown.code !== 'overloaded') throw thrown;
      work.refusal = thrown;
    }
  }

  async #workOff(first: Input[]): Promise<void> {
    let inputs = first;
    let processed = 0;
    for (;;) {
      inputs.push(...this.#scheduler.takeInputs());
      this.#compensator.closed(this.#scheduler.takeUndoClosings(), this.#options.clock.now());
      // A run that waits for an event may be another shard's.
      const offers = this.#correlator.takeInputs().filter((input) => !this.#peers?.post({ to: 'history', input }));
      inputs.push(...offers, ...this.#compensator.takeInputs(), ...(await this.#dispatch([])));
      if (inputs.length === 0 && processed > 0) break;
      if (inputs.length > 0 && processed >= LIMITS.batchInputsMax * 8) {
        this.#inbox.put(inputs);
        break;
      }
      processed += Math.max(1, inputs.length);
      this.#figures.inputs += inputs.length;
      const effects = await this.#processor.process(inputs);
      inputs = await this.#dispatch(effects);
    }
  }

  /** Hands effects to the slices of this shard, and to other shards; gives those that are inputs again. */
  async #dispatch(effects: readonly Effect[]): Promise<Input[]> {
    const inputs: Input[] = [];
    const scheduler: SchedulerEffect[] = [];
    const correlation: CorrelationEffect[] = [];
    const compensation: CompensationEffect[] = [];
    for (const effect of effects) {
      if (effect.to === 'scheduler') scheduler.push(effect);
      else if (effect.to === 'compensation') compensation.push(effect);
      else if (this.#peers?.post(effect)) continue;
      else if (effect.to === 'history') inputs.push(effect.input);
      else correlation.push(effect);
    }
    if (compensation.length > 0) this.#compensator.receive(compensation);
    scheduler.push(...this.#compensator.takeEffects());
    if (scheduler.length > 0) this.#scheduler.receive(scheduler);
    if (correlation.length > 0) await this.#correlator.receive(correlation);
    return inputs;
  }

  #commit(): void {
    const history = this.#processor.takeCommit();
    const tasks = this.#scheduler.takeChanges();
    const waits = this.#correlator.takeChanges();
    const sagas = this.#compensator.takeChanges();
    const writePeers = this.#peers?.takeChanges();
    if (!history && tasks.length === 0 && waits.length === 0 && sagas.length === 0 && !writePeers && !this.#inbox.isChanged) return;
    const startedMs = performance.now();
    this.#options.file.transaction(() => {
      if (history) this.#state.write(history);
      this.#schedulerStore.write(tasks);
      this.#correlationStore.write(waits);
      this.#sagaStore.write(sagas);
      this.#inbox.write();
      writePeers?.();
    });
    const tookMs = performance.now() - startedMs;
    this.#figures.commitSeconds += tookMs / 1000;
    this.#observer.wrote(tookMs);
    this.#figures.batches += 1;
  }

  #committed(works: readonly Work[]): void {
    this.#isStoreAway = false;
    this.#inbox.committed();
    this.#processor.committed();
    this.#correlator.committed();
    this.#scheduler.committed();
    this.#peers?.committed();
    this.#observer.committed();
    for (const work of works) {
      if (work.kind !== 'events') continue;
      if (work.refusal) work.reject(work.refusal);
      else work.resolve(work.receipts ?? []);
    }
    const hints = this.#hints;
    if (hints.closed.length === 0 && hints.decided.length === 0) return;
    this.#hints = { closed: [], decided: [] };
    for (const listener of this.#listeners) listener(hints);
  }

  async #afterFailure(works: readonly Work[], { error, mayRetry }: { readonly error: PerdureError; readonly mayRetry: boolean }): Promise<void> {
    this.#figures.commitFailures += 1;
    this.#options.log?.('error', 'a batch was taken back', { code: error.code, error: error.stack, inputs: works.length });
    if (isFatal(error)) return this.#die(works, error);
    this.#isStoreAway = works.length === 0 || (isStoreFault(error) && error.fault === 'unavailable');
    await this.#takeBack();
    const byContent = !isStoreFault(error) || error.fault === 'contentRefused';
    if (byContent && mayRetry && works.length > 1) {
      for (const work of works) await this.#runBatch([work], true);
      return;
    }
    const [work] = works;
    if (byContent && mayRetry && work?.kind === 'mail' && work.envelope.messages.length > 1) {
      for (const envelope of singly(work.envelope)) await this.#runBatch([{ ...work, envelope }], true);
      return;
    }
    if (byContent && mayRetry && work && work.kind !== 'events') return this.#refuse(work, error);
    // What the store says names files and statements: that is for the log alone.
    const isOurs = !isStoreFault(error) && error.code !== 'internal';
    const answer = isOurs ? error : new PerdureError('unavailable', 'The store cannot take the request now.');
    for (const each of works) each.reject(answer);
  }

  /** The batch may be in the file or not, or the file is another's: nothing that memory says may be committed or told (I3). */
  #die(works: readonly Work[], error: Error): void {
    this.#closing = true;
    this.#sweeper?.stop();
    this.#scheduler.close();
    this.#peers?.close();
    const answer = new PerdureError('unavailable', 'The store cannot take the request now.');
    for (const work of [...works, ...this.#work.splice(0)]) work.reject(answer);
    this.#options.file.close();
    const { onFatal = rethrow } = this.#options;
    onFatal(error);
  }

  async #refuse(work: InputWork | MailWork, error: Error): Promise<void> {
    try {
      if (work.kind === 'input') this.#waiting.set(inputKeyOf({ ...work.input, inputId: work.input.id }), [work]);
      const [input] = work.kind === 'input' ? [work.input] : this.#peers!.take(work.envelope).flatMap((effect: PeerEffect) => (effect.to === 'history' ? [effect.input] : []));
      // What is no input has no run here to suspend; its sender is told that it came, for it would come again for ever.
      const effects = input ? await this.#processor.refuse(input, isStoreFault(error) ? new Error('the store refuses what it would record') : error) : [];
      await this.#workOff(await this.#dispatch(effects));
      this.#commit();
      this.#committed([work]);
    } catch (thrown) {
      if (isFatal(thrown)) return this.#die([work], toPerdureError(thrown));
      await this.#takeBack();
      work.reject(toPerdureError(thrown));
    }
  }

  async #takeBack(): Promise<void> {
    this.#waiting.clear();
    this.#hints = { closed: [], decided: [] };
    this.#processor.takeBack();
    this.#observer.takeBack();
    this.#inbox.takeBack();
    this.#peers?.takeBack();
    await this.#scheduler.reset();
    await this.#correlator.reset();
    await this.#compensator.reset();
  }

  #tell(key: string, outcome: InputOutcome): void {
    if (outcome.kind === 'updated') this.#hints.decided.push(key);
    const works = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const { resolve } of works ?? []) resolve(outcome);
  }

  /** Whether there is more than one step of it may remove. */
  async #sweep(): Promise<boolean> {
    const { clock, retentionMs = 7 * DAY_MS } = this.#options;
    this.#correlator.sweep(clock.now());
    this.#woken = true;
    return (await this.#processor.purge({ closedBeforeMs: clock.now() - retentionMs, limit: PURGE_RUNS_MAX })) === PURGE_RUNS_MAX;
  }
}
