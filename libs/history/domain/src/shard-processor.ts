import assert from 'node:assert/strict';
import { ENGINE_ABI, inputKeyOf, inputRefOf, isPerdureError, PerdureError, runKeyOf, toPerdureError, type ActivationOutput, type Command, type Effect, type Input, type InputOf, type InputOutcome, type InputRef, type Json, type Pin, type ProblemData, type RunKey, type SuspendReason } from '@perdure/contract';
import type { Activate, ActivationResult, Decision, RecordOnly, RunState, Settled, Settlement } from '@perdure/engine';
import { ALL_GUARDS, type Guards } from '@perdure/guards';
import { contentOf, otherContent } from '@perdure/identity';
import { Batch } from './batch.js';
import type { CachedRun } from './cached-run.js';
import type { HistoryCommit, InputRow, RunRef } from './ports/history-rows.js';
import type { Realm, RealmActivation } from './ports/realm-host.js';
import { PROCESSOR_LIMITS, type ProcessorDeps, type ProcessorLimits, type ProcessorOptions } from './processor-options.js';
import { isRemembered } from './remembered.js';
import { extendDigest, EMPTY_DIGEST } from './rolling-digest.js';
import { RunCache } from './run-cache.js';
import { activate, closes, RunLoader, type RealmJob } from './run-loader.js';
import { isShownOtherwise, shownOf, toRunRow, type Shown } from './run-row.js';
import { encodeSnapshot } from './snapshot-codec.js';
import { withinDepth } from './within-depth.js';

/** What one input led to; a run that continued as new goes on in the same transaction. */
interface Step {
  readonly effects: readonly Effect[];
  readonly continuation?: Input | undefined;
}

/**
 * Turns a shard's inputs into history, a batch at a time (design §1).
 *
 * 1. `process` changes memory only; what it changed leaves by `takeCommit`, and nothing is told before `committed`.
 * 2. After a commit that failed, `takeBack` evicts all that the batch touched: states, realms and numbers (I3).
 * 3. A run's realm is at the run's last event, or there is none.
 */
export class ShardProcessor {
  readonly #deps: ProcessorDeps;
  readonly #limits: ProcessorLimits;
  readonly #guards: Guards;
  readonly #shard: number;
  readonly #key: Uint8Array;
  readonly #cache = new RunCache();
  readonly #loader: RunLoader;
  #batch: Batch;
  #cursor: number;
  #lastRun: number;
  #committedRun: number;
  /** The run that the input in hand is for. */
  #current: CachedRun | undefined;

  private constructor(deps: ProcessorDeps, options: ProcessorOptions, head: { readonly cursor: number; readonly lastRunNumber: number }) {
    this.#deps = deps;
    this.#limits = { ...PROCESSOR_LIMITS, ...options.limits };
    this.#guards = options.guards ?? ALL_GUARDS;
    this.#shard = options.shard ?? 0;
    this.#key = options.snapshotKey;
    this.#loader = new RunLoader({
      ...deps,
      cache: this.#cache,
      snapshotKey: options.snapshotKey,
      guards: this.#guards,
      pageTransitions: this.#limits.pageTransitions,
      staged: { transitions: (run) => this.#batch.transitionsOf(run), snapshot: (run) => this.#batch.snapshots.get(run) },
      makeRoom: () => this.#makeRoomForOne(),
    });
    this.#cursor = head.cursor;
    this.#lastRun = this.#committedRun = head.lastRunNumber;
    this.#batch = new Batch(1, head.cursor);
  }

  static async open(deps: ProcessorDeps, options: ProcessorOptions): Promise<ShardProcessor> {
    return new ShardProcessor(deps, options, await deps.store.head());
  }

  /** Of what is committed. */
  get cursor(): number {
    return this.#cursor;
  }

  get liveRealms(): number {
    return this.#cache.liveRealms;
  }

  /**
   * What follows from the inputs, in order. An input that cannot be processed is set aside here and now and harms its own run alone (I10).
   * Throws only what may pass (the store is unavailable, no room for a realm): take the batch back and try again.
   */
  async process(inputs: readonly Input[]): Promise<Effect[]> {
    const effects: Effect[] = [];
    for (const input of inputs) {
      this.#batch.to += 1;
      let next: Input | undefined = input;
      for (let runs = 0; next; runs++) {
        // A run that only ever continues must not keep the batch from its end: its next start is an input like any other.
        if (runs > this.#limits.continuationsMax) {
          effects.push({ to: 'history', input: next });
          break;
        }
        const step: Step = await this.#processSafely(next);
        for (const effect of step.effects) effects.push(effect);
        next = step.continuation;
      }
    }
    return effects;
  }

  /**
   * For an input that the store cannot take, or that has killed its process: it is kept as refused, and the run it was for is suspended
   * (design §1). `mayRecord`: what the run awaits can be recorded at least, and waits for `resume`.
   */
  async refuse(input: Input, error: Error, { mayRecord = false }: { readonly mayRecord?: boolean } = {}): Promise<Effect[]> {
    this.#batch.to += 1;
    this.#current = input.kind === 'start' ? undefined : await this.#loader.find(refOf(input));
    return this.#setAside(input, { error, mayRecord });
  }

  /** What the batch has changed; undefined for nothing. */
  takeCommit(): HistoryCommit | undefined {
    return this.#batch.isEmpty ? undefined : this.#batch.toCommit(this.#shard, this.#deps.ownership.epoch());
  }

  /** The batch is durable. */
  committed(): void {
    const batch = this.#batch;
    this.#cursor = batch.to;
    this.#committedRun = this.#lastRun;
    this.#current = undefined;
    this.#batch = new Batch(batch.number + 1, this.#cursor);
    for (const decided of batch.outcomes) this.#deps.events?.outcome?.(decided);
    for (const { run, result } of batch.closed) this.#deps.events?.closed?.(run, result);
    for (const { run, reason, trace } of batch.suspended) this.#deps.events?.suspended?.(run, reason, trace);
    this.#makeRoom();
  }

  takeBack(): void {
    if (this.#guards.has('takeBack')) {
      for (const run of this.#batch.touched) this.#cache.remove(run);
      if (this.#current) this.#cache.remove(this.#current);
    }
    this.#current = undefined;
    this.#lastRun = this.#committedRun;
    this.#batch = new Batch(this.#batch.number + 1, this.#cursor);
  }

  /** The owner steps down: realms are given back. */
  close(): void {
    for (const run of [...this.#cache.live()]) this.#cache.closeRealm(run);
  }

  /** Asks the run's query handler, on committed state; call it between batches. */
  async query(ref: RunRef, query: { readonly name: string; readonly input?: Json; readonly at: number }): Promise<{ readonly value?: Json }> {
    const run = await this.#loader.find(ref);
    if (!run) throw new PerdureError('unknown-run', `There is no run of "${ref.workflowId}"${ref.runId ? ` named ${ref.runId}` : ''}.`);
    const realm = await this.#loader.realm(run);
    if (!('activate' in realm)) throw new PerdureError('replay-differs', `The history of the run does not replay:\n${realm.diff}`);
    const job = JSON.stringify({ kind: 'query', at: Math.max(query.at, run.state.lastAt), name: query.name, ...(query.input === undefined ? {} : { input: query.input }) });
    const result = this.#probe(run, realm, job);
    if (run.state.closedAt !== undefined) this.#cache.closeRealm(run);
    this.#makeRoom();
    if (result.kind === 'voided') {
      this.#cache.closeRealm(run);
      throw new PerdureError('query-failed', `The query hit a limit (${result.reason}): ${result.message}`);
    }
    return answerOf(result.output);
  }

  /** Whatever is thrown, the realm may not have been put back. */
  #probe(run: CachedRun, realm: Realm, job: string): RealmActivation {
    try {
      return withinDepth(realm.probe(job));
    } catch (thrown) {
      this.#cache.closeRealm(run);
      throw thrown;
    }
  }

  /** Removes runs that closed before a time, from the store and from memory; gives how many. Call it between batches. */
  async purge(bounds: { readonly closedBeforeMs: number; readonly limit: number }): Promise<number> {
    const purged = await this.#deps.store.purge(bounds);
    if (purged > 0) for (const run of this.#cache.runs()) if ((run.state.closedAt ?? Infinity) < bounds.closedBeforeMs) this.#cache.remove(run);
    return purged;
  }

  async #processSafely(input: Input): Promise<Step> {
    this.#current = undefined;
    this.#deps.observer?.processing(input);
    try {
      return await this.#processOne(input);
    } catch (thrown) {
      const error = toPerdureError(thrown);
      if (error.retryable) throw error;
      this.#deps.events?.fault?.(input, error, this.#stateInHand());
      return { effects: await this.#setAside(input, { error, mayRecord: true }).catch((again: unknown) => this.#giveUp(again)) };
    }
  }

  #stateInHand(): RunState | undefined {
    return this.#current?.state;
  }

  /** Not even that could be written: the input is lost, unless the batch has touched the run, for then the batch cannot stand. */
  #giveUp(thrown: unknown): Effect[] {
    const run = this.#current;
    if (toPerdureError(thrown).retryable || (run && this.#batch.touched.has(run))) throw thrown;
    if (run) this.#cache.remove(run);
    return [];
  }

  async #processOne(input: Input): Promise<Step> {
    const ref = inputRefOf(input);
    const content = isRemembered(input) ? contentOf(input) : undefined;
    const kept = content === undefined || !this.#guards.has('inputDedupe') ? undefined : await this.#findInput(ref);
    if (kept && kept.content !== content) {
      this.#batch.outcomes.push({ ref, outcome: { kind: 'refused', problem: otherContent(input) }, content, input });
      return { effects: [] };
    }
    const { run, decision } = await this.#decide(input, kept?.outcome);
    if (decision.kind === 'redirect') throw new PerdureError('internal', 'The run has continued too often to follow.');
    if (decision.kind === 'drop' || decision.kind === 'refuse') {
      const outcome: InputOutcome | undefined = decision.kind === 'refuse' ? { kind: 'refused', problem: decision.problem } : decision.outcome;
      if (run) this.#deps.observer?.dropped(input, run.state);
      if (outcome && kept) this.#batch.outcomes.push({ ref, outcome, content, input });
      else if (outcome && content !== undefined) this.#keepOutcome(ref, { outcome, content, at: input.at, ...(run ? { run: run.number } : {}) }, input);
      return { effects: decision.effects };
    }
    const { settled, touched } = await this.#carryOut(run, decision);
    await this.#keepOutcomes(input, { settled, touched });
    const { observer } = this.#deps;
    const effects = observer && touched ? observer.processed(input, touched.state, settled.effects) : settled.effects;
    return { effects, continuation: settled.continuation };
  }

  async #keepOutcomes(input: Input, { settled, touched }: { readonly settled: Settled; readonly touched: CachedRun | undefined }): Promise<void> {
    const { tenant, workflowId, at } = input;
    for (const { inputId, outcome } of settled.outcomes) {
      const ref = { tenant, workflowId, inputId };
      const first = inputId === input.id ? undefined : await this.#findInput(ref);
      const content = first?.content ?? (inputId === input.id ? contentOf(input) : '');
      this.#keepOutcome(ref, { outcome, content, at: first?.at ?? at, ...(touched ? { run: touched.number } : {}) }, inputId === input.id ? input : undefined);
    }
  }

  /**
   * The input at fault is answered as refused and its run suspended. What a run awaits (a closing, a fired timer, word from another run) is
   * recorded all the same where it can be, and waits in the run for `resume`: it will not come again.
   */
  async #setAside(input: Input, { error, mayRecord }: { readonly error: Error; readonly mayRecord: boolean }): Promise<Effect[]> {
    const { engine } = this.#deps;
    const run = this.#current;
    const reason: SuspendReason = { kind: 'refused', inputId: input.id, message: error.message };
    if (run) await this.#loader.reload(run);
    const shown = run && shownOf(run.state);
    const decision = run && mayRecord && isAwaited(input) ? engine.accept(run.state, input) : undefined;
    if (run && decision?.kind === 'activate') {
      const settled = engine.settle(run.state, decision, { kind: 'setAside', reason });
      this.#write(run, settled, shown);
      await this.#keepOutcomes(input, { settled, touched: run });
      return [...settled.effects];
    }
    const ref = inputRefOf(input);
    const outcome: InputOutcome = { kind: 'refused', problem: problemOf(error) };
    const content = isRemembered(input) ? contentOf(input) : undefined;
    if (content !== undefined && !(await this.#findInput(ref))) this.#keepOutcome(ref, { outcome, content, at: input.at }, input);
    else this.#batch.outcomes.push({ ref, outcome, content, input });
    if (input.kind === 'start') {
      const told = engine.accept(undefined, input);
      return told.kind === 'refuse' ? [...told.effects] : [];
    }
    if (run) this.#write(run, engine.suspend(run.state, { reason, inputId: input.id, at: input.at }), shown);
    return [];
  }

  async #decide(input: Input, seen: InputOutcome | undefined): Promise<{ run: CachedRun | undefined; decision: Decision }> {
    const pin = input.kind === 'start' && !seen ? await this.#pinFor(input) : undefined;
    let ref = refOf(input);
    for (let hops = 0; ; hops++) {
      const run = (this.#current = await this.#loader.find(ref));
      const decision = this.#deps.engine.accept(run?.state, input, { ...(pin ? { pin } : {}), ...(seen ? { seen } : {}) });
      if (decision.kind !== 'redirect' || hops >= this.#limits.redirectsMax) return { run, decision };
      ref = { ...ref, runId: decision.runId };
    }
  }

  /** What a client names is taken as it is. A child or a run that goes on takes its origin's bundle if that has the workflow, else the tenant's default. */
  async #pinFor({ tenant, bundle, workflowType, parent, continuedFrom }: InputOf<'start'>): Promise<Pin | undefined> {
    const { bundles, realms } = this.#deps;
    const given = bundle === undefined ? undefined : await bundles.find(tenant, bundle);
    const isFree = bundle === undefined || parent !== undefined || continuedFrom !== undefined;
    if (!isFree && !given) throw new PerdureError('unknown-bundle', `There is no bundle ${bundle}.`);
    const hash = given && (!isFree || given.workflows.includes(workflowType)) ? given.hash : await bundles.defaultFor(tenant, workflowType);
    return hash === undefined ? undefined : { bundle: hash, abi: ENGINE_ABI, sandbox: realms.build };
  }

  async #carryOut(run: CachedRun | undefined, decision: RecordOnly | Activate): Promise<{ settled: Settled; touched: CachedRun | undefined }> {
    const { engine } = this.#deps;
    const isStart = decision.input.kind === 'start';
    const shown = run && !isStart ? shownOf(run.state) : undefined;
    let settlement: Settlement | undefined;
    let fresh: Realm | undefined;
    let settled: Settled | undefined;
    try {
      if (decision.kind === 'activate') {
        if (isStart) fresh = await this.#openFor(decision);
        settlement = await this.#activate(run, { decision, fresh });
      }
      settled = engine.settle(isStart ? undefined : run?.state, decision, settlement);
    } finally {
      if (!settled?.transition) fresh?.close();
    }
    if (!settled.transition || !settled.state) return { settled, touched: isStart ? undefined : run };
    const touched = isStart ? this.#born(settled) : run!;
    if (fresh) this.#cache.setRealm(touched, fresh);
    if (settlement?.kind === 'ran' && settlement.results.some(({ kind }) => kind === 'voided')) this.#cache.closeRealm(touched);
    if (settled.closed) this.#cache.closeRealm(touched);
    this.#write(touched, settled, shown);
    return { settled, touched };
  }

  async #openFor({ lead: [started] }: Activate): Promise<Realm> {
    assert(started?.kind === 'started', 'a start begins with `started`');
    return this.#loader.open(started.run.tenant, started.pin.bundle);
  }

  async #activate(run: CachedRun | undefined, { decision, fresh }: { readonly decision: Activate; readonly fresh: Realm | undefined }): Promise<Settlement> {
    const [lead] = decision.lead;
    if (fresh && lead?.kind === 'started') return this.#run(fresh, { jobs: decision.jobs as readonly RealmJob[], run: lead.run, bundle: lead.pin.bundle, trace: lead.trace });
    assert(run, 'what is no start has a run');
    if (!this.#guards.has('oneInputOneActivation') && this.#batch.touched.has(run) && decision.jobs.every(({ job }) => job)) return { kind: 'ran', results: decision.jobs.map(() => IDLE) };
    const pin = decision.repinTo === undefined ? undefined : { bundle: decision.repinTo, abi: ENGINE_ABI, sandbox: this.#deps.realms.build };
    const realm = pin ? await this.#loader.repin(run, pin) : await this.#loader.realm(run);
    if (!('activate' in realm)) return { kind: 'setAside', reason: { kind: 'nondeterminism', ...realm } };
    const numbers = decision.jobs.filter(({ job }) => !job).map(({ n }) => n);
    const loaded = await this.#loader.jobsAt(run, numbers);
    const jobs = decision.jobs.map(({ job, ...rest }, index) => ({ ...rest, job: job ?? loaded[index]! }));
    const settlement = await this.#run(realm, { jobs, run: run.state.run, bundle: (pin ?? run.state.pin).bundle, trace: run.state.trace });
    return { ...settlement, ...(pin ? { pin } : {}), ...(loaded.length > 0 ? { jobs: loaded } : {}) };
  }

  async #run(realm: Realm, { jobs, run, bundle, trace }: { readonly jobs: readonly RealmJob[]; readonly run: RunKey; readonly bundle: string; readonly trace: string | undefined }): Promise<Extract<Settlement, { kind: 'ran' }>> {
    const results: ActivationResult[] = [];
    for (const job of jobs) {
      const result = activate(realm, job);
      if (result.kind === 'voided') {
        results.push(result);
        break;
      }
      const { output } = result;
      results.push({ kind: 'ok', output: await this.#mapStacks(output, { tenant: run.tenant, bundle }) });
      if (output.logs && output.logs.length > 0) this.#deps.events?.logs?.(run, output.logs, trace);
      if (closes(output)) break;
    }
    return { kind: 'ran', results };
  }

  /** Errors that end a run or an update point to the user's own files. */
  async #mapStacks(output: ActivationOutput, { tenant, bundle }: { readonly tenant: string; readonly bundle: string }): Promise<ActivationOutput> {
    const { stacks } = this.#deps;
    if (!stacks || !output.commands.some(hasError)) return output;
    const mapped = async (command: Command): Promise<Command> => {
      if (command.kind === 'fail' || command.kind === 'cancel') return { ...command, error: await stacks.map(tenant, bundle, command.error) };
      if (command.kind === 'completeUpdate' && command.outcome.status === 'failed') return { ...command, outcome: { ...command.outcome, error: await stacks.map(tenant, bundle, command.outcome.error) } };
      return command;
    };
    return { ...output, commands: await Promise.all(output.commands.map(mapped)) };
  }

  #born(settled: Settled): CachedRun {
    const state = settled.state!;
    const number = ++this.#lastRun;
    const run: CachedRun = { key: runKeyOf(state.run), number, state, row: toRunRow(number, state, undefined), digest: EMPTY_DIGEST, snapshotAt: 0 };
    this.#cache.add(run, true);
    return run;
  }

  #write(run: CachedRun, { transition, closed }: Settled, shown: Shown | undefined): void {
    if (!transition) return;
    const batch = this.#batch;
    batch.touched.add(run);
    batch.noteSuspended(run, transition.events);
    const { at, bundle, inputId } = transition;
    const events = JSON.stringify(transition.events);
    run.digest = extendDigest(run.digest, { at, bundle, inputId, events });
    batch.transitions.push({ run: run.number, last: run.state.lastEvent, at, bundle, inputId, events, digest: run.digest });
    if (!shown || isShownOtherwise(shown, run.state)) {
      run.row = toRunRow(run.number, run.state, closed ?? run.row.result);
      batch.runs.set(run.number, run.row);
    }
    if (!closed) return;
    batch.closed.push({ run: run.state.run, result: closed });
    batch.snapshots.delete(run.number);
    if (run.snapshotAt > 0) batch.snapshotsDropped.add(run.number);
  }

  async #findInput(ref: InputRef): Promise<InputRow | undefined> {
    return this.#batch.inputs.get(inputKeyOf(ref)) ?? (await this.#deps.store.findInput(ref));
  }

  #keepOutcome(ref: InputRef, row: Pick<InputRow, 'outcome' | 'content' | 'at' | 'run'>, input: Input | undefined): void {
    this.#batch.outcomes.push({ ref, outcome: row.outcome, content: row.content, input });
    if (row.content !== '') this.#batch.putInput({ ...ref, ...row });
  }

  /** Evicts the longest unused; a realm's image is kept for when it is wanted again, with the next commit (I7). */
  #makeRoom(): void {
    if (this.#hasTooManyRealms()) {
      for (const run of this.#cache.coldRealms()) {
        this.#evictRealm(run);
        if (!this.#hasTooManyRealms()) break;
      }
    }
    if (this.#cache.size > this.#limits.runsMax) {
      for (const run of this.#cache.cold()) {
        this.#evictRealm(run);
        this.#cache.remove(run);
        if (this.#cache.size <= this.#limits.runsMax) break;
      }
    }
    let made = 0;
    for (const run of this.#cache.live()) {
      if (made >= this.#limits.snapshotsPerCommitMax) break;
      if (!this.#isSnapshotDue(run)) continue;
      this.#park(run);
      made += 1;
    }
  }

  #hasTooManyRealms(): boolean {
    const { realmsMax, realmBytesMax } = this.#limits;
    return this.#cache.liveRealms > realmsMax || this.#deps.realms.heldBytes > realmBytesMax;
  }

  /** Within a batch only as much as must be: the sandbox has no more of them. What the batch has touched comes back by a replay. */
  #makeRoomForOne(): void {
    if (this.#cache.liveRealms < this.#limits.realmsInBatchMax) return;
    for (const run of this.#cache.coldRealms()) {
      this.#evictRealm(run);
      if (this.#cache.liveRealms < this.#limits.realmsInBatchMax) return;
    }
  }

  #isSnapshotDue({ state, snapshotAt, snapshotBytes = 0 }: CachedRun): boolean {
    const { snapshotEveryEvents, snapshotBytesPerEvent } = this.#limits;
    return state.lastEvent - snapshotAt >= snapshotEveryEvents + Math.floor(snapshotBytes / snapshotBytesPerEvent);
  }

  #evictRealm(run: CachedRun): void {
    this.#park(run);
    this.#cache.closeRealm(run);
  }

  /** Only a committed, quiet realm (I7). A suspended run's may lack jobs that its history holds deferred. */
  #park(run: CachedRun): void {
    const { state, digest, number, realm } = run;
    if (!realm || state.lastEvent === run.snapshotAt || state.status !== 'running' || this.#batch.touched.has(run)) return;
    const image = this.#imageOf(realm);
    if (!image) return;
    const body = encodeSnapshot(this.#key, { run: run.key, last: state.lastEvent, digest }, { state, image });
    run.snapshotAt = state.lastEvent;
    run.snapshotBytes = body.length;
    this.#batch.snapshots.set(number, { run: number, last: state.lastEvent, digest, pin: state.pin, body });
  }

  /** Without one, for want of memory, the run comes back by a longer replay: no reason to keep its realm, nor to fail after a commit. */
  #imageOf(realm: Realm): Uint8Array | undefined {
    try {
      return realm.snapshot();
    } catch (thrown) {
      if (isPerdureError(thrown) && thrown.code === 'overloaded') return undefined;
      throw thrown;
    }
  }
}

/** Somebody waits for it inside: a run for an answer, another run for word. */
const isAwaited = (input: Input): boolean => !isRemembered(input) || ('from' in input && input.from !== undefined);

/** An activation that asks for nothing. */
const IDLE: ActivationResult = { kind: 'ok', output: { commands: [] } };

const hasError = (command: Command): boolean => command.kind === 'fail' || command.kind === 'cancel' || (command.kind === 'completeUpdate' && command.outcome.status === 'failed');

/** Our own refusals say what they are; anything else is our fault. */
const problemOf = (error: Error): ProblemData =>
  isPerdureError(error) && error.code !== 'internal' ? { code: error.code, detail: error.message } : { code: 'internal', detail: `The input cannot be processed: ${error.message}` };

const refOf = (input: Input): RunRef => ({ tenant: input.tenant, workflowId: input.workflowId, ...(input.kind === 'start' || input.runId === undefined ? {} : { runId: input.runId }) });

const answerOf = (output: string): { readonly value?: Json } => {
  const { answer, refused } = JSON.parse(output) as { answer?: { value?: Json } | { error: { message: string } }; refused?: { message: string; known?: readonly string[] } };
  if (refused) throw new PerdureError('unknown-query', `${refused.message}; it has ${refused.known?.join(', ') || 'none'}.`);
  if (answer && 'error' in answer) throw new PerdureError('query-failed', answer.error.message);
  return answer ?? {};
};

