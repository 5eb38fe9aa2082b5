import { isPerdureError, LIMITS, PerdureError, toPerdureError, type AnswerReceipt, type ExternalEvent, type HeartbeatRequest, type HeartbeatResponse, type Input, type InputOutcome, type Json, type PollRequest, type PollResponse, type TaskAnswer } from '@perdure/contract';
import type { Envelope } from '@perdure/delivery';
import { isStoreFault } from '@perdure/history';
import { inspectBundle, Sweeper, type InspectedBundle, type MetricJson } from '@perdure/hosting';
import { Answers } from './answers.js';
import { isFatal, rethrow } from './fatal.js';
import { singly } from './peers/peers.js';
import { ShardGateway, type QueryRequest, type ShardFigures, type ShardHints } from './shard-gateway.js';
import { ShardMachines } from './shard-machines.js';
import type { EmbeddedShardOptions } from './shard-options.js';
import { inputsOf, type EventsWork, type OneWork, type Work } from './work.js';

const STORE_AWAY_RETRY_MS = 100;
const DAY_MS = 86_400_000;
const PURGE_RUNS_MAX = 500;
/** What has ended its process so often is refused (I10). */
const TRIES_MAX = 3;

/**
 * A whole shard in one thread and one file (design §8): the loop that feeds its state machines.
 *
 * 1. A batch is one transaction over all of them; what follows from an input within the shard is worked off in the same batch, up to
 *    a bound, and the rest is kept in the same transaction for the next.
 * 2. Nothing of a batch is told before its commit (I1, I4); after one that failed, all of them are as the file says (I3).
 * 3. What is in a batch that failed by its content is tried again one by one; the one at fault is refused (I10).
 * 4. What was in hand when a process died runs one by one, each try counted (`Suspects`). What the process lives through is no suspect; what has ended three is
 *    refused (I10).
 */
export class EmbeddedShard extends ShardGateway {
  readonly #options: EmbeddedShardOptions;
  #machines!: ShardMachines;
  #work: Work[] = [];
  #between: (() => Promise<void>)[] = [];
  #turning: Promise<void> | undefined;
  #scheduled = false;
  #woken = false;
  #closing = false;
  #isStoreAway = false;
  #isRetrySet = false;
  /** So many works are still to be run one by one. */
  #alone = 0;
  #sweeper: Sweeper<EmbeddedShard> | undefined;
  readonly #answers = new Answers();
  #figures = { batches: 0, inputs: 0, commitFailures: 0, commitSeconds: 0 };

  private constructor(options: EmbeddedShardOptions) {
    super();
    this.#options = options;
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
    return this.#inTurn(() => this.#machines.processor.query({ tenant, workflowId, ...(runId === undefined ? {} : { runId }) }, query));
  }

  override poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse> {
    return this.#machines.scheduler.poll(tenant, request, signal);
  }
  override answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]> {
    return this.#machines.scheduler.answer(tenant, answers);
  }
  override heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]> {
    return this.#machines.scheduler.heartbeat(tenant, requests);
  }

  override inspect(code: string): Promise<InspectedBundle> {
    return this.#inTurn(async () => inspectBundle(this.#options.sandbox, code));
  }

  override forgetBundle(tenant: string, hash: string): Promise<void> {
    return this.#inTurn(async () => this.#options.bundles.forget(tenant, hash));
  }

  override async figures(): Promise<ShardFigures> {
    return { ...this.#figures, liveRealms: this.#machines.processor.liveRealms, queued: this.#work.length };
  }

  override async metrics(): Promise<readonly (readonly MetricJson[])[]> {
    return [await this.#machines.metrics()];
  }

  override onHints(listener: (hints: ShardHints) => void): void {
    this.#answers.onHints(listener);
  }

  override async drain(): Promise<void> {
    this.#machines.scheduler.drain();
  }

  override async close(): Promise<void> {
    this.#closing = true;
    this.#sweeper?.stop();
    this.#kick();
    await this.settled();
    const error = new PerdureError('draining', 'The server is shutting down.');
    for (const work of this.#work.splice(0)) work.reject(error);
    this.#machines.close();
    this.#letGo();
    this.#machines.suspects.close();
    this.#options.file.close();
  }

  /** Resolves when nothing is left to do now: for tests and skippable time. */
  async settled(): Promise<void> {
    while (this.#turning || this.#scheduled) await (this.#turning ?? new Promise((resolve) => setImmediate(resolve)));
  }

  async #open(): Promise<void> {
    const { clock, log, peers } = this.#options;
    const machines = (this.#machines = await ShardMachines.open(this.#options, {
      wake: () => this.#wake(),
      outcome: (decided) => this.#answers.decided(decided),
      closed: (runKey) => this.#answers.closed(runKey),
    }));
    peers?.bus.listen({ envelope: (envelope) => this.#receiveMail(envelope), confirmation: (confirmation) => machines.peers!.confirmed(confirmation) });
    this.#sweeper = new Sweeper({
      clock,
      owners: () => [this],
      sweep: (shard) => shard.#inTurn(() => shard.#sweep()),
      onFailed: (error) => log?.('warn', 'the sweep failed', { error: String(error) }),
    });
    if (!machines.inbox.isEmpty) this.#wake();
    machines.peers?.send();
  }

  /** If it cannot be written, the next process is careful for nothing. */
  #letGo(): void {
    if (!this.#options.file.isOpen) return;
    try {
      this.#machines.suspects.letGo(this.#machines.processor.cursor);
    } catch (thrown) {
      this.#options.log?.('warn', 'the shard could not be let go of in order', { error: String(thrown) });
    }
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
    if (this.#machines.peers?.isFull) return Promise.reject(new PerdureError('overloaded', 'Another shard is behind with what this one has sent it.'));
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
    return this.#work.length > 0 || this.#between.length > 0 || this.#woken || !this.#machines.inbox.isEmpty;
  }

  async #turn(): Promise<void> {
    for (const run of this.#between.splice(0)) await run();
    if (!this.#hasWork()) return;
    this.#woken = false;
    const { waiting, works, isSuspectNext } = this.#together();
    if (this.#alone > 0 || isSuspectNext) return this.#runInTurn();
    await this.#runBatch(this.#work.splice(0, works), waiting);
  }

  async #runBatch(works: readonly Work[], waiting: number): Promise<void> {
    const machines = this.#machines;
    try {
      const inputs = machines.inbox.take(waiting);
      for (const work of works) inputs.push(...(await this.#take(work)));
      this.#figures.inputs += await machines.workOff(inputs);
      this.#write();
    } catch (thrown) {
      return this.#afterFailure(works, toPerdureError(thrown));
    }
    this.#committed(works);
  }

  /** How many of what waits go together: as many as come before the first suspect. */
  #together(): { readonly waiting: number; readonly works: number; readonly isSuspectNext: boolean } {
    const { inbox, suspects } = this.#machines;
    const inputs = inbox.first(LIMITS.batchInputsMax);
    const waiting = suspects.firstIn(inputs, (input) => [input]);
    const works = waiting < inputs.length ? 0 : suspects.firstIn(this.#work.slice(0, LIMITS.batchInputsMax), inputsOf);
    return { waiting, works, isSuspectNext: waiting + works === 0 && inputs.length + this.#work.length > 0 };
  }

  /** What a work has for history. */
  async #take(work: Work): Promise<Input[]> {
    if (work.kind === 'mail') return this.#machines.takeMail(work.envelope);
    if (work.kind === 'events') {
      await this.#publish(work);
      return [];
    }
    this.#answers.expect(work);
    return [work.input];
  }

  async #publish(work: EventsWork): Promise<void> {
    try {
      work.receipts = await this.#machines.publish(work.events);
      work.refusal = undefined;
    } catch (thrown) {
      // There is no room for its tenant and nothing of it was taken: no fault of the batch, which others are in.
      if (!isPerdureError(thrown) || thrown.code !== 'overloaded') throw thrown;
      work.refusal = thrown;
    }
  }

  #write(more?: () => void): void {
    const tookMs = this.#machines.write(more);
    if (tookMs === undefined) return;
    this.#figures.commitSeconds += tookMs / 1000;
    this.#figures.batches += 1;
  }

  #committed(works: readonly Work[]): void {
    this.#isStoreAway = false;
    this.#machines.committed();
    this.#answers.committed(works);
  }

  // ── one by one ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A suspect waits for those of other shards: when the process dies, one has been tried. */
  #runInTurn(): Promise<void> {
    const one = this.#nextOne();
    if (this.#alone > 0 && (one.work ?? one.input)) this.#alone -= 1;
    const { turns } = this.#options;
    return turns && this.#suspectOf(one) ? turns.run(() => this.#runOne(one)) : this.#runOne(one);
  }

  /** Invariants 3 and 4. What follows from it waits in the inbox, to come as alone. */
  async #runOne(one: OneWork): Promise<void> {
    const machines = this.#machines;
    const suspect = this.#suspectOf(one);
    try {
      const isDeadly = suspect !== undefined && machines.suspects.trying(suspect, machines.processor.cursor) > TRIES_MAX;
      if (isDeadly) await this.#refuse(one, { error: new PerdureError('internal', `It has ended the server ${TRIES_MAX} times.`), mayRecord: true });
      else await machines.workOffOne(await this.#takeOne(one));
      this.#figures.inputs += 1;
      this.#commitOne(one);
    } catch (thrown) {
      await this.#afterFailureOfOne(one, toPerdureError(thrown));
    }
  }

  #suspectOf({ input }: OneWork): Input | undefined {
    return input && this.#machines.suspects.has(input) ? input : undefined;
  }

  #nextOne(): OneWork {
    const [input] = this.#machines.inbox.take(1);
    if (input) return { input };
    const work = this.#work.shift();
    if (!work) return {};
    if (work.kind !== 'mail' || work.envelope.messages.length < 2) return { work, input: inputsOf(work)[0] };
    this.#work.unshift(...singly(work.envelope).map((envelope) => ({ ...work, envelope })));
    return this.#nextOne();
  }

  /** What code is to run for, unless it turns out to be a repeat. */
  async #takeOne({ work, input }: OneWork): Promise<Input | undefined> {
    if (work) return (await this.#take(work))[0];
    return input && this.#machines.inbox.take(1)[0];
  }

  async #refuse(one: OneWork, { error, mayRecord }: { readonly error: Error; readonly mayRecord: boolean }): Promise<void> {
    const { input: { tenant, workflowId, id: inputId } = {} } = one;
    this.#options.log?.('error', 'an input is refused', { tenant, workflowId, inputId, error: error.message });
    const input = await this.#takeOne(one);
    // What is no input has no run here to suspend; its sender is told that it came, for it would come again for ever.
    if (input) await this.#machines.refuse(input, error, { mayRecord });
    else await this.#machines.workOffOne(undefined);
  }

  #commitOne(one: OneWork): void {
    const { suspects } = this.#machines;
    const suspect = this.#suspectOf(one);
    this.#write(suspect && (() => suspects.drop(suspect)));
    if (suspect) suspects.forget(suspect);
    this.#committed(one.work ? [one.work] : []);
  }

  async #afterFailureOfOne(one: OneWork, error: PerdureError): Promise<void> {
    const works = one.work ? [one.work] : [];
    await this.#fail(works, error);
    const suspect = this.#suspectOf(one);
    if (suspect) this.#survived(suspect);
    if (isFatal(error)) return this.#die(works, error);
    if (isRefusable(one, error)) return this.#setAside(one, error);
    this.#isStoreAway = works.length === 0 || (isStoreFault(error) && error.fault === 'unavailable');
    this.#reject(works, error);
  }

  /** The input's place is taken by its refusal. If not even that can be recorded, by nothing. */
  async #setAside(one: OneWork, error: PerdureError): Promise<void> {
    const works = one.work ? [one.work] : [];
    for (const isLast of [false, true]) {
      if (isLast && one.work?.kind === 'input') break;
      try {
        if (isLast) await this.#takeOne(one).then(() => this.#machines.workOffOne(undefined));
        else await this.#refuse(one, { error: isStoreFault(error) ? new Error('the store refuses what it would record') : error, mayRecord: false });
        return this.#commitOne(one);
      } catch (thrown) {
        const again = toPerdureError(thrown);
        await this.#fail(works, again);
        if (isFatal(again)) return this.#die(works, again);
        if (again.retryable) break;
      }
    }
    this.#reject(works, error);
  }

  /** It did not kill the process. If that cannot be noted now, it is once the input has been decided. */
  #survived(input: Input): void {
    try {
      this.#machines.suspects.survived(input, this.#machines.processor.cursor);
    } catch (thrown) {
      this.#options.log?.('warn', 'a try is counted that the shard has lived through', { tenant: input.tenant, workflowId: input.workflowId, inputId: input.id, error: String(thrown) });
    }
  }

  // ── when a batch fails ────────────────────────────────────────────────────────────────────────────────────────────

  async #afterFailure(works: readonly Work[], error: PerdureError): Promise<void> {
    await this.#fail(works, error);
    if (isFatal(error)) return this.#die(works, error);
    if (isStoreFault(error) && error.fault !== 'contentRefused') {
      this.#isStoreAway = works.length === 0 || error.fault === 'unavailable';
      return this.#reject(works, error);
    }
    this.#work.unshift(...works);
    const inputs = works.reduce((sum, work) => sum + (work.kind === 'mail' ? work.envelope.messages.length : 1), this.#machines.inbox.size);
    this.#alone = Math.max(this.#alone, Math.min(inputs, LIMITS.batchInputsMax), 1);
  }

  /** Memory is as the file says again, unless nobody knows what it says. */
  async #fail(works: readonly Work[], error: PerdureError): Promise<void> {
    this.#figures.commitFailures += 1;
    this.#options.log?.('error', 'a batch was taken back', { code: error.code, error: error.stack, inputs: works.length });
    if (isFatal(error)) return;
    this.#answers.takeBack();
    await this.#machines.takeBack();
  }

  #reject(works: readonly Work[], error: PerdureError): void {
    // What the store says names files and statements: that is for the log alone.
    const isOurs = !isStoreFault(error) && error.code !== 'internal';
    const answer = isOurs ? error : new PerdureError('unavailable', 'The store cannot take the request now.');
    for (const each of works) each.reject(answer);
  }

  /** The batch may be in the file or not, or the file is another's: nothing that memory says may be committed or told (I3). */
  #die(works: readonly Work[], error: Error): void {
    this.#closing = true;
    this.#sweeper?.stop();
    this.#machines.close();
    this.#machines.suspects.close();
    const answer = new PerdureError('unavailable', 'The store cannot take the request now.');
    for (const work of [...works, ...this.#work.splice(0)]) work.reject(answer);
    this.#options.file.close();
    const { onFatal = rethrow } = this.#options;
    onFatal(error);
  }

  /** Whether there is more than one step of it may remove. */
  async #sweep(): Promise<boolean> {
    const { clock, retentionMs = 7 * DAY_MS } = this.#options;
    this.#machines.correlator.sweep(clock.now());
    this.#woken = true;
    return (await this.#machines.processor.purge({ closedBeforeMs: clock.now() - retentionMs, limit: PURGE_RUNS_MAX })) === PURGE_RUNS_MAX;
  }
}

/** By its content, and something that a refusal can stand for. */
const isRefusable = ({ work, input }: OneWork, error: PerdureError): boolean => (isStoreFault(error) ? error.fault === 'contentRefused' : !error.retryable) && (work ? work.kind !== 'events' : input !== undefined);
