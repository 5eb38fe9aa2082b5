import type { CancelTimer, Clock } from '@perdure/clock';
import { PerdureError, toPerdureError } from '@perdure/contract';
import { ALL_GUARDS, type Guards } from '@perdure/guards';
import { backoffMs } from './backoff.js';
import type { Bus } from './bus.js';
import { commitBatch, isStepDown, StepDown } from './commit-batch.js';
import { DELIVERY_LIMITS, type DeliveryLimits } from './delivery-limits.js';
import { Intake } from './intake.js';
import { checkLog, type Log, type LogPosition, type Logs } from './log.js';
import { hasLogOfInputs, type Confirmation, type Envelope, type SliceName } from './message.js';
import { OneAtATime } from './one-at-a-time.js';
import { Outbox } from './outbox.js';
import type { OwnerEvents } from './owner-events.js';
import { admit, confirmationsOf, type Item } from './owner-work.js';
import { notOwner, Readers } from './readers.js';
import { Sender } from './sender.js';
import type { BatchObserver, Outgoing, SliceMachine } from './slice-machine.js';
import type { SliceCommit, SliceHead, SliceStore } from './slice-store.js';
import { reasonOf } from './stale-reason.js';
import { isStoreFault, StoreFault } from './store-fault.js';

export interface SliceOwnerOptions<Rows, M extends SliceMachine<Rows>> {
  readonly slice: SliceName;
  readonly store: SliceStore<Rows>;
  /** The slice's own log, if it has one. */
  readonly log?: Log;
  readonly logs: Logs;
  readonly bus: Bus;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Made once the epoch is taken. `wake`: the machine wants a batch. */
  readonly machine: (context: { readonly epoch: number; readonly wake: () => void }) => Promise<M>;
  /** Runs something soon, after what has arrived has been heard: `setImmediate`. */
  readonly defer: (run: () => void) => void;
  readonly limits?: Partial<DeliveryLimits>;
  readonly guards?: Guards;
  /** Shared by all owners of a process: of what may kill it they try one thing at a time. */
  readonly suspects?: OneAtATime;
  readonly events?: OwnerEvents;
  readonly batches?: BatchObserver;
}

/**
 * The owner of a slice: the loop that feeds its machine and commits what comes of it (I3, I4).
 *
 * 1. It takes `epoch + 1` by compare-and-set before it reads anything, and names that epoch in each commit. Once another has a higher
 *    one it cannot commit, and steps down.
 * 2. A batch is one transaction: the machine's rows, what it sends, what it received, and the cursor. Nothing leaves before it.
 * 3. After a batch that failed all is as the store says. What failed by its content is tried work by work; the one at fault is refused.
 * 4. After an unclean death the first works run singly, each try counted in the store before it begins. What an owner lives through,
 *    whatever comes of it, is uncounted again; and what is suspected runs while its process tries no other suspect, so that only one of
 *    them is counted when it dies (I10).
 */
export class SliceOwner<Rows, M extends SliceMachine<Rows>> {
  readonly #options: SliceOwnerOptions<Rows, M>;
  readonly #limits: DeliveryLimits;
  readonly slice: SliceName;
  readonly epoch: number;
  readonly machine: M;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #intake: Intake;
  #cursor: number;
  #position: LogPosition | undefined;
  /** How far its log reaches, as it was told last. */
  #logEnd = 0;
  /** Works that are still to be run singly. */
  #careful: number;
  /** Works that owners were trying when they died. */
  readonly #suspected: ReadonlySet<string>;
  readonly #suspects: OneAtATime;
  #messages: Item[] = [];
  readonly #readers = new Readers();
  /** The turn in hand. */
  #turn: Promise<void> | undefined;
  #isClosing = false;
  #deferred = false;
  #woken = true;
  #again = false;
  /** Of the last turn. */
  #lastWorks = 0;
  #failures = 0;
  #pausedUntilMs = 0;
  #tidyAtMs = Infinity;
  /** When its epoch is to be read anew, if it has not committed until then. */
  #verifyAtMs = 0;
  #alarm: { readonly atMs: number; readonly cancel: CancelTimer } | undefined;
  #down: PerdureError | undefined;
  #unsubscribe: () => void = () => undefined;

  private constructor(options: SliceOwnerOptions<Rows, M>, opened: { readonly head: SliceHead; readonly machine: M; readonly position: LogPosition | undefined; readonly isCareful: boolean }) {
    const { head, machine, position, isCareful } = opened;
    const guards = options.guards ?? ALL_GUARDS;
    this.#options = options;
    this.slice = options.slice;
    this.#limits = { ...DELIVERY_LIMITS, ...options.limits };
    this.machine = machine;
    this.epoch = head.epoch;
    this.#cursor = head.cursor;
    this.#position = position;
    this.#careful = isCareful ? this.#limits.batchWorksMax : 0;
    this.#suspected = new Set(head.tried);
    this.#suspects = options.suspects ?? new OneAtATime();
    this.#outbox = new Outbox({ source: options.slice, rows: head.outbox, lastNumbers: head.lastNumbers, limits: this.#limits, random: options.random, guards, isOrdered: hasLogOfInputs });
    this.#sender = new Sender(this.#outbox, {
      slice: options.slice, bus: options.bus, logs: options.logs, clock: options.clock, events: options.events,
      confirmed: (confirmation) => this.confirm(confirmation),
      again: () => {
        if (!this.#down) this.#send();
      },
    });
    this.#intake = new Intake(head, (body) => machine.linksOf(body), guards);
  }

  /** @throws StoreFault `staleOwner` when another was faster; LogMismatch */
  static async open<Rows, M extends SliceMachine<Rows>>(options: SliceOwnerOptions<Rows, M>): Promise<SliceOwner<Rows, M>> {
    const { store, slice, log } = options;
    const before = await store.head();
    await store.takeOver(before.epoch);
    const head = await store.head();
    const epoch = before.epoch + 1;
    if (head.epoch !== epoch) throw new StoreFault('staleOwner', `${slice} is at epoch ${head.epoch} already`);
    const position = log && (await checkLog(slice, log, head.log).catch(async (thrown: unknown) => {
      throw await reasonOf(thrown, { slice, epoch, store });
    }));
    let wake = (): void => undefined;
    const machine = await options.machine({ epoch, wake: () => wake() });
    const owner = new SliceOwner(options, { head, machine, position, isCareful: before.epoch > 0 && !before.isClean });
    wake = () => owner.wake();
    if (log) owner.#unsubscribe = log.onAppend(() => owner.#kick());
    owner.#kick();
    return owner;
  }

  /** How far in its log it has committed. */
  get position(): LogPosition | undefined {
    return this.#position;
  }

  get isDown(): boolean {
    return this.#down !== undefined;
  }

  /** The machine has something to do that no record and no message brought. */
  wake(): void {
    this.#woken = true;
    this.#kick();
  }

  /** What the bus has for it. Dropped when it is full or down: it comes again. */
  receive({ source, mark, messages }: Envelope): void {
    if (this.#down) return;
    for (const { number, body } of messages) {
      if (this.#messages.length >= this.#limits.intakeMessagesMax) break;
      this.#messages.push({ work: { kind: 'message', body }, origin: { source, number, mark }, name: `${source}#${number}` });
    }
    this.#kick();
  }

  confirm({ destination, numbers }: Confirmation): void {
    this.#outbox.confirm(destination, numbers);
    if (!this.#outbox.hasConfirmed) return;
    this.#tidyAtMs = Math.min(this.#tidyAtMs, this.#options.clock.now() + this.#limits.tidyAfterMs);
    this.#arm();
  }

  /**
   * Reads committed state, after all that was in the log when it was asked, and only if the epoch still holds then (design §1).
   * @throws PerdureError `not-owner`
   */
  async read<T>(run: (machine: M) => Promise<T>): Promise<T> {
    const end = await this.#describeLog();
    return new Promise<T>((resolve, reject) => {
      if (this.#down) return reject(notOwner(this.#down));
      const checked = async (): Promise<void> => {
        const settle = await run(this.machine).then((value) => () => resolve(value), (error: unknown) => () => reject(error as Error));
        await this.#verify();
        settle();
      };
      this.#readers.add({ end, run: checked, reject });
      this.#kick();
    });
  }

  /** Works that wait for a batch: messages, and records of its log. While the log does not answer, those of which it is known. */
  async waiting(): Promise<number> {
    // Whoever reads the log tells that it does not answer.
    await this.#describeLog().catch(() => this.#logEnd);
    return this.#messages.length + Math.max(0, this.#logEnd - this.#offset);
  }

  /** Lets go of the slice: what is in hand is finished, the next owner need not be careful. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#turn;
    if (this.#down) return;
    this.#stepDown(new PerdureError('draining', 'The owner lets the slice go.'));
    await this.#options.store.release(this.epoch);
  }

  /** Of the next record that it has not consumed. */
  get #offset(): number {
    return this.#position?.offset ?? 0;
  }

  async #describeLog(): Promise<number> {
    const { log } = this.#options;
    if (log) this.#logEnd = (await log.describe()).end;
    return this.#logEnd;
  }

  get #isPaused(): boolean {
    return this.#pausedUntilMs > this.#options.clock.now();
  }

  // ── the loop ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #kick(): void {
    if (this.#down || this.#isClosing) return;
    if (this.#turn) {
      this.#again = true;
      return;
    }
    if (this.#deferred) return;
    this.#deferred = true;
    this.#soon(() => {
      this.#deferred = false;
      if (!this.#down && !this.#isClosing && !this.#turn) this.#turn = this.#turns();
    });
  }

  /** After what has arrived has been heard; while much arrives, after a little more. */
  #soon(run: () => void): void {
    const { clock, defer } = this.#options;
    if (this.#lastWorks < this.#limits.gatherFromWorks) return defer(run);
    clock.at(clock.now() + this.#limits.gatherMs, run);
  }

  async #turns(): Promise<void> {
    this.#again = false;
    try {
      await this.#takeTurn();
    } catch (thrown) {
      const error = await reasonOf(thrown, { slice: this.slice, epoch: this.epoch, store: this.#options.store });
      if (isStepDown(error) || !error.retryable) this.#stepDown(error);
      else {
        this.#options.events?.paused?.(this.slice, error);
        this.#pause();
      }
    }
    this.#turn = undefined;
    if (this.#down) return;
    this.#send();
    if (this.#again) this.#kick();
  }

  async #takeTurn(): Promise<void> {
    await this.#readers.serve(this.#offset);
    const now = this.#options.clock.now();
    if (this.#isPaused) return;
    if (this.#verifyAtMs <= now) await this.#verify();
    const items = await this.#collect();
    this.#lastWorks = items.length;
    const isTidy = this.#tidyAtMs <= now;
    if (items.length === 0 && !this.#woken && !isTidy) return;
    if (items.length > 0) this.#again = true;
    if (this.#careful > 0 && items.length > 0) return this.#runSingly(items);
    this.#woken = false;
    await this.#runBatch(items, { isTidy });
    await this.#readers.serve(this.#offset);
  }

  /** An owner that has nothing to commit would not learn otherwise that it is one no more, and workers would wait at its desk for ever. */
  async #verify(): Promise<void> {
    const epoch = await this.#options.store.epoch();
    if (epoch !== this.epoch) throw new StepDown(new StoreFault('staleOwner', `the slice is at epoch ${epoch}`));
    this.#verifyAtMs = this.#options.clock.now() + this.#limits.verifyEveryMs;
  }

  /** Records in log order, then messages as they came. */
  async #collect(): Promise<Item[]> {
    const { log } = this.#options;
    const { batchWorksMax, outboxRowsMax } = this.#limits;
    if (this.#outbox.size >= outboxRowsMax) return [];
    const items: Item[] = [];
    if (log && this.#position) {
      const { identity } = this.#position;
      for (const { offset, id, origin, body } of await log.read(this.#position.offset, batchWorksMax)) {
        items.push({ work: body, position: { identity, offset: offset + 1, lastId: id }, name: `@${offset}`, ...(origin ? { origin } : {}) });
      }
    }
    items.push(...this.#messages.splice(0, Math.max(1, batchWorksMax - items.length)));
    return items;
  }

  /** Invariant 4. */
  async #runSingly(items: readonly Item[]): Promise<void> {
    for (const [index, item] of items.entries()) {
      this.#careful -= 1;
      try {
        await (this.#suspected.has(item.name) ? this.#suspects.run(() => this.#try(item)) : this.#try(item));
      } catch (thrown) {
        this.#giveBack(items.slice(index));
        await this.#options.store.survived(this.epoch, item.name).catch(() => undefined);
        if (isStoreFault(thrown) && thrown.fault === 'staleOwner') throw new StepDown(thrown);
        throw thrown;
      }
      // It was given back, and so were the records after it.
      if (this.#isPaused) return this.#giveBack(items.slice(index + 1));
    }
  }

  async #try(item: Item): Promise<void> {
    const tries = await this.#options.store.countTry(this.epoch, item.name);
    if (tries > this.#limits.triesMax && (await this.#wereDeaths(item))) await this.#refuse(item, new PerdureError('internal', `It has ended its owner ${tries - 1} times.`));
    else await this.#runBatch([item], { triesDropped: [item.name] });
    if (this.#isPaused) await this.#options.store.survived(this.epoch, item.name);
  }

  /** Whether the owners that have tried it are dead: one that lives says so within a while. Who dies in that while has not died of it. */
  async #wereDeaths({ name }: Item): Promise<boolean> {
    await this.#options.store.survived(this.epoch, name);
    await this.#sleep(this.#limits.deathGraceMs);
    return (await this.#options.store.countTry(this.epoch, name)) > this.#limits.triesMax;
  }

  async #runBatch(items: readonly Item[], { isTidy = false, triesDropped = [] }: { readonly isTidy?: boolean; readonly triesDropped?: readonly string[] } = {}): Promise<void> {
    try {
      const works = admit(items, this.#intake);
      const outgoing = await this.machine.take(works);
      await this.#commit(items, { works: works.length, outgoing, isTidy, triesDropped });
    } catch (thrown) {
      await this.#afterFailure(items, toPerdureError(thrown));
    }
  }

  async #commit(items: readonly Item[], { works, outgoing, isTidy = false, triesDropped = [] }: { readonly works: number; readonly outgoing: readonly Outgoing[]; readonly isTidy?: boolean; readonly triesDropped?: readonly string[] }): Promise<void> {
    for (const { destination, body } of outgoing) this.#outbox.put(destination, body);
    const position = items.findLast((item) => item.position)?.position ?? this.#position;
    const commit: SliceCommit<Rows> = {
      epoch: this.epoch,
      cursor: { from: this.#cursor, to: this.#cursor + 1 },
      rows: this.machine.takeRows(),
      outbox: this.#outbox.takeChanges(),
      intake: this.#intake.takeChanges(),
      triesDropped,
      ...(position ? { log: position } : {}),
    };
    const isNeeded = commit.rows !== undefined || commit.outbox.put.length > 0 || commit.intake.marks.length > 0 || position !== this.#position || triesDropped.length > 0 || (isTidy && commit.outbox.confirmed.length > 0);
    if (isNeeded) {
      await commitBatch(this.#options.store, commit, { limits: this.#limits, random: this.#options.random, pause: (ms) => this.#sleep(ms) });
      this.#cursor += 1;
      this.#verifyAtMs = this.#options.clock.now() + this.#limits.verifyEveryMs;
      this.#position = position;
      this.#outbox.committed();
      // What was confirmed while this batch was on its way is not in it.
      this.#tidyAtMs = this.#outbox.hasConfirmed ? this.#options.clock.now() + this.#limits.tidyAfterMs : Infinity;
    }
    this.#failures = 0;
    this.#intake.committed();
    this.machine.committed();
    this.#options.batches?.committed({ works, isWritten: isNeeded });
    for (const confirmation of confirmationsOf(items, this.slice)) this.#options.bus.confirm(confirmation);
  }

  // ── when a batch fails ────────────────────────────────────────────────────────────────────────────────────────────

  async #afterFailure(items: readonly Item[], error: PerdureError): Promise<void> {
    this.#options.batches?.takeBack();
    if (isStepDown(error)) throw error;
    this.#options.events?.takenBack?.(this.slice, error);
    await this.#takeBack();
    const isByContent = isStoreFault(error) ? error.fault === 'contentRefused' : !error.retryable;
    if (isByContent && items.length > 1) {
      for (const [index, item] of items.entries()) {
        await this.#runBatch([item]);
        if (this.#isPaused) return this.#giveBack(items.slice(index + 1));
      }
      return;
    }
    const [item] = items;
    if (isByContent && item) return this.#refuse(item, error);
    this.#giveBack(items);
    this.#pause();
  }

  /** Invariant 3: the work's place is taken by its refusal. If not even that can be recorded, by nothing. */
  async #refuse(item: Item, error: Error): Promise<void> {
    this.#options.events?.refused?.(this.slice, item.work, error);
    const refusal = { triesDropped: [item.name] };
    for (const isLast of [false, true]) {
      try {
        if (item.origin && !this.#intake.isRepeat(item.origin)) this.#intake.skip(item.origin);
        const outgoing = isLast ? [] : await this.machine.refuse(item.work, error);
        return await this.#commit([item], { works: 1, outgoing, ...refusal });
      } catch (thrown) {
        const again = toPerdureError(thrown);
        this.#options.batches?.takeBack();
        if (isStepDown(again)) throw again;
        await this.#takeBack();
        if (again.retryable || isLast) {
          this.#giveBack([item]);
          return this.#pause();
        }
      }
    }
  }

  async #takeBack(): Promise<void> {
    this.#outbox.takeBack();
    this.#intake.takeBack();
    try {
      await this.machine.takeBack();
    } catch (thrown) {
      // Memory is not as the store says, and cannot be made so now.
      throw new StepDown(toPerdureError(thrown));
    }
  }

  /** Records are read again from the log; messages would only come again after a while. */
  #giveBack(items: readonly Item[]): void {
    this.#messages.unshift(...items.filter(({ work }) => work.kind === 'message'));
  }

  #pause(): void {
    const { clock, random } = this.#options;
    this.#woken = true;
    this.#pausedUntilMs = clock.now() + backoffMs(this.#failures++, { firstMs: this.#limits.retryAfterMs, maxMs: this.#limits.retryAfterMsMax, random });
    this.#arm();
  }

  #stepDown(error: PerdureError): void {
    if (this.#down) return;
    this.#down = error;
    this.#unsubscribe();
    this.#alarm?.cancel();
    this.machine.close();
    this.#messages = [];
    this.#readers.reject(notOwner(error));
    this.#options.events?.steppedDown?.(this.slice, error);
  }

  #send(): void {
    this.#sender.send();
    this.#arm();
  }

  // ── time ────────────────────────────────────────────────────────────────────────────────────────

  #arm(): void {
    if (this.#down) return;
    // While it pauses it only sends.
    const batchAtMs = this.#isPaused ? this.#pausedUntilMs : Math.min(this.#tidyAtMs, this.#verifyAtMs);
    const atMs = Math.min(this.#outbox.nextDueMs, batchAtMs);
    if (atMs === Infinity || (this.#alarm && this.#alarm.atMs <= atMs)) return;
    this.#alarm?.cancel();
    const cancel = this.#options.clock.at(atMs, () => {
      this.#alarm = undefined;
      this.#kick();
    });
    this.#alarm = { atMs, cancel };
  }

  #sleep(ms: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => clock.at(clock.now() + ms, resolve));
  }
}
