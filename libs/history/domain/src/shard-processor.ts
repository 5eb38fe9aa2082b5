import { ENGINE_ABI, PerdureError, runKeyOf, type Effect, type Input, type InputOf, type InputOutcome, type Json, type Pin } from '@perdure/contract';
import type { Activate, ActivationResult, Decision, RecordOnly, Settled, Settlement } from '@perdure/engine';
import { Batch, inputKeyOf } from './batch.js';
import type { CachedRun } from './cached-run.js';
import { contentOf, isRemembered } from './input-content.js';
import type { HistoryCommit, InputRef, InputRow, RunRef } from './ports/history-rows.js';
import type { Realm } from './ports/realm-host.js';
import { PROCESSOR_LIMITS, type ProcessorDeps, type ProcessorLimits, type ProcessorOptions } from './processor-options.js';
import { extendDigest, EMPTY_DIGEST } from './rolling-digest.js';
import { RunCache } from './run-cache.js';
import { activate, RunLoader, type RealmJob } from './run-loader.js';
import { isShownOtherwise, shownOf, toRunRow, type Shown } from './run-row.js';
import { encodeSnapshot } from './snapshot-codec.js';

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
  readonly #shard: number;
  readonly #key: Uint8Array;
  readonly #cache = new RunCache();
  readonly #loader: RunLoader;
  #batch: Batch;
  #cursor: number;
  #lastRun: number;
  #committedRun: number;

  private constructor(deps: ProcessorDeps, options: ProcessorOptions, head: { readonly cursor: number; readonly lastRunNumber: number }) {
    this.#deps = deps;
    this.#limits = { ...PROCESSOR_LIMITS, ...options.limits };
    this.#shard = options.shard ?? 0;
    this.#key = options.snapshotKey;
    this.#loader = new RunLoader({ ...deps, cache: this.#cache, snapshotKey: options.snapshotKey, pageTransitions: this.#limits.pageTransitions });
    this.#cursor = head.cursor;
    this.#lastRun = this.#committedRun = head.lastRunNumber;
    this.#batch = new Batch(1, head.cursor);
  }

  static async open(deps: ProcessorDeps, options: ProcessorOptions): Promise<ShardProcessor> {
    return new ShardProcessor(deps, options, await deps.store.head());
  }

  get liveRealms(): number {
    return this.#cache.liveRealms;
  }

  /** What follows from the inputs, in order. Throws when one cannot be processed: take the batch back, and find out which by giving them singly. */
  async process(inputs: readonly Input[]): Promise<Effect[]> {
    const effects: Effect[] = [];
    for (const input of inputs) {
      let next: Input | undefined = input;
      for (let runs = 0; next; runs++) {
        // A run that only ever continues must not keep the batch from its end: its next start is an input like any other.
        if (runs > this.#limits.continuationsMax) {
          effects.push({ to: 'history', input: next });
          break;
        }
        this.#batch.to += 1;
        next = await this.#processOne(next, effects);
      }
    }
    return effects;
  }

  /** For the one input of a batch that cannot be processed at all: it is kept as refused, and the run it was for is suspended (design §1). */
  async refuse(input: Input, error: Error): Promise<void> {
    this.#batch.to += 1;
    const problem = { code: 'internal', detail: `The input cannot be processed: ${error.message}` };
    if (isRemembered(input)) this.#keepOutcome({ tenant: input.tenant, workflowId: input.workflowId, inputId: input.id }, { outcome: { kind: 'refused', problem }, content: contentOf(input), at: input.at });
    const run = input.kind === 'start' ? undefined : await this.#loader.find(refOf(input)).catch(() => undefined);
    if (!run) return;
    const shown = shownOf(run.state);
    const settled = this.#deps.engine.suspend(run.state, { reason: { kind: 'refused', inputId: input.id, message: error.message }, inputId: input.id, at: input.at });
    this.#cache.closeRealm(run);
    this.#write(run, settled, shown);
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
    this.#batch = new Batch(batch.number + 1, this.#cursor);
    for (const { ref, outcome } of batch.outcomes) this.#deps.events?.outcome?.(ref, outcome);
    for (const { run, result } of batch.closed) this.#deps.events?.closed?.(run, result);
    this.#makeRoom();
  }

  takeBack(): void {
    for (const run of this.#batch.touched) this.#cache.remove(run);
    this.#lastRun = this.#committedRun;
    this.#batch = new Batch(this.#batch.number + 1, this.#cursor);
  }

  /** Asks the run's query handler, on committed state; call it between batches. */
  async query(ref: RunRef, query: { readonly name: string; readonly input?: Json; readonly at: number }): Promise<{ readonly value?: Json }> {
    const run = await this.#loader.find(ref);
    if (!run) throw new PerdureError('unknown-run', `There is no run of "${ref.workflowId}"${ref.runId ? ` named ${ref.runId}` : ''}.`);
    const realm = await this.#loader.realm(run);
    if (!('activate' in realm)) throw new PerdureError('replay-differs', `The history of the run does not replay:\n${realm.diff}`);
    const result = realm.probe(JSON.stringify({ kind: 'query', at: Math.max(query.at, run.state.lastAt), name: query.name, ...(query.input === undefined ? {} : { input: query.input }) }));
    if (run.state.closedAt !== undefined) this.#cache.closeRealm(run);
    if (result.kind === 'voided') {
      this.#cache.closeRealm(run);
      throw new PerdureError('query-failed', `The query hit a limit (${result.reason}): ${result.message}`);
    }
    return answerOf(result.output);
  }

  /** Gives the start of the run that goes on, if this one continued as new: it belongs to the same transaction. */
  async #processOne(input: Input, effects: Effect[]): Promise<Input | undefined> {
    const ref = { tenant: input.tenant, workflowId: input.workflowId, inputId: input.id };
    const content = isRemembered(input) ? contentOf(input) : undefined;
    const kept = content === undefined ? undefined : await this.#findInput(ref);
    if (kept && kept.content !== content) {
      this.#batch.outcomes.push({ ref, outcome: { kind: 'refused', problem: { code: 'input-id-reused', detail: `Id "${input.id}" was used for another input.` } } });
      return undefined;
    }
    const { run, decision } = await this.#decide(input, kept?.outcome);
    if (decision.kind === 'drop' || decision.kind === 'refuse' || decision.kind === 'redirect') {
      if (decision.kind === 'redirect') throw new PerdureError('internal', 'The run has continued too often to follow.');
      effects.push(...decision.effects);
      const outcome: InputOutcome | undefined = decision.kind === 'refuse' ? { kind: 'refused', problem: decision.problem } : decision.outcome;
      if (outcome && kept) this.#batch.outcomes.push({ ref, outcome });
      else if (outcome && content !== undefined) this.#keepOutcome(ref, { outcome, content, at: input.at, ...(run ? { run: run.number } : {}) });
      return undefined;
    }
    const { settled, touched } = await this.#carryOut(run, decision);
    for (const { inputId, outcome } of settled.outcomes) {
      const row = inputId === input.id ? undefined : await this.#findInput({ ...ref, inputId });
      this.#keepOutcome({ ...ref, inputId }, { outcome, content: row?.content ?? content ?? '', at: row?.at ?? input.at, ...(touched ? { run: touched.number } : {}) });
    }
    effects.push(...settled.effects);
    return settled.continuation;
  }

  async #decide(input: Input, seen: InputOutcome | undefined): Promise<{ run: CachedRun | undefined; decision: Decision }> {
    const pin = input.kind === 'start' ? await this.#pinFor(input) : undefined;
    let ref = refOf(input);
    for (let hops = 0; ; hops++) {
      const run = await this.#loader.find(ref);
      const decision = this.#deps.engine.accept(run?.state, input, { ...(pin ? { pin } : {}), ...(seen ? { seen } : {}) });
      if (decision.kind !== 'redirect' || hops >= this.#limits.redirectsMax) return { run, decision };
      ref = { ...ref, runId: decision.runId };
    }
  }

  /** A child takes its parent's bundle if that has the workflow, else the tenant's default. */
  async #pinFor({ tenant, bundle, workflowType }: InputOf<'start'>): Promise<Pin> {
    const { bundles, realms } = this.#deps;
    const given = bundle === undefined ? undefined : await bundles.find(tenant, bundle);
    const hash = given?.workflows.includes(workflowType) ? given.hash : ((await bundles.defaultFor(tenant, workflowType)) ?? bundle);
    if (hash === undefined) throw new PerdureError('unknown-workflow', `No deployed bundle has a workflow "${workflowType}".`);
    return { bundle: hash, abi: ENGINE_ABI, sandbox: realms.build };
  }

  async #carryOut(run: CachedRun | undefined, decision: RecordOnly | Activate): Promise<{ settled: Settled; touched: CachedRun | undefined }> {
    const { engine } = this.#deps;
    const isStart = decision.input.kind === 'start';
    const shown = run && !isStart ? shownOf(run.state) : undefined;
    let settlement: Settlement | undefined;
    let fresh: Realm | undefined;
    if (decision.kind === 'activate') ({ settlement, fresh } = await this.#activate(run, decision));
    const settled = engine.settle(isStart ? undefined : run?.state, decision, settlement);
    if (!settled.transition || !settled.state) {
      fresh?.close();
      return { settled, touched: run };
    }
    const touched = isStart ? this.#born(settled) : run!;
    if (fresh) this.#cache.setRealm(touched, fresh);
    if (settlement?.kind === 'ran' && settlement.results.some(({ kind }) => kind === 'voided')) this.#cache.closeRealm(touched);
    if (settled.closed) this.#cache.closeRealm(touched);
    this.#write(touched, settled, shown);
    return { settled, touched };
  }

  async #activate(run: CachedRun | undefined, decision: Activate): Promise<{ settlement: Settlement; fresh?: Realm }> {
    const [lead] = decision.lead;
    if (lead?.kind === 'started') {
      const fresh = await this.#loader.open(lead.run.tenant, lead.pin.bundle);
      return { settlement: await this.#run(fresh, decision.jobs as readonly RealmJob[], lead.run), fresh };
    }
    const target = run!;
    const pin = decision.repinTo === undefined ? undefined : { bundle: decision.repinTo, abi: ENGINE_ABI, sandbox: this.#deps.realms.build };
    const realm = pin ? await this.#loader.repin(target, pin) : await this.#loader.realm(target);
    if (!('activate' in realm)) return { settlement: { kind: 'setAside', reason: { kind: 'nondeterminism', ...realm } } };
    const numbers = decision.jobs.filter(({ job }) => !job).map(({ n }) => n);
    const loaded = await this.#loader.jobsAt(target, numbers);
    const jobs = decision.jobs.map(({ job, ...rest }, index) => ({ ...rest, job: job ?? loaded[index]! }));
    const settlement = await this.#run(realm, jobs, target.state.run);
    return { settlement: { ...settlement, ...(pin ? { pin } : {}), ...(loaded.length > 0 ? { jobs: loaded } : {}) } };
  }

  async #run(realm: Realm, jobs: readonly RealmJob[], run: CachedRun['state']['run']): Promise<Extract<Settlement, { kind: 'ran' }>> {
    const results: ActivationResult[] = [];
    for (const job of jobs) {
      const result = activate(realm, job);
      results.push(result.kind === 'ok' ? { kind: 'ok', output: await this.#mapStacks(result.output, run) } : result);
      if (result.kind === 'voided') break;
      if (result.output.logs && result.output.logs.length > 0) this.#deps.events?.logs?.(run, result.output.logs);
    }
    return { kind: 'ran', results };
  }

  /** Errors that end a run or an update point to the user's own files. */
  async #mapStacks(output: Extract<ActivationResult, { kind: 'ok' }>['output'], run: CachedRun['state']['run']): Promise<typeof output> {
    const { stacks } = this.#deps;
    if (!stacks || !output.commands.some(({ kind }) => kind === 'fail')) return output;
    const bundle = this.#cache.find(run)?.state.pin.bundle;
    if (bundle === undefined) return output;
    const commands = await Promise.all(output.commands.map(async (command) => (command.kind === 'fail' ? { ...command, error: await stacks.map(run.tenant, bundle, command.error) } : command)));
    return { ...output, commands };
  }

  #born(settled: Settled): CachedRun {
    const state = settled.state!;
    const number = ++this.#lastRun;
    const run: CachedRun = { key: runKeyOf(state.run), number, state, row: toRunRow(number, state, undefined), digest: EMPTY_DIGEST, snapshotAt: 0, batch: this.#batch.number };
    this.#cache.add(run, true);
    return run;
  }

  #write(run: CachedRun, { transition, closed }: Settled, shown: Shown | undefined): void {
    if (!transition) return;
    const batch = this.#batch;
    batch.touched.add(run);
    run.batch = batch.number;
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
    if (run.snapshotAt > 0) batch.snapshotsDropped.add(run.number);
  }

  async #findInput(ref: InputRef): Promise<InputRow | undefined> {
    return this.#batch.inputs.get(inputKeyOf(ref)) ?? (await this.#deps.store.findInput(ref));
  }

  #keepOutcome(ref: InputRef, row: Pick<InputRow, 'outcome' | 'content' | 'at' | 'run'>): void {
    this.#batch.outcomes.push({ ref, outcome: row.outcome });
    if (row.content !== '') this.#batch.putInput({ ...ref, ...row });
  }

  /** Evicts the longest unused; a realm's image is kept for when it is wanted again, with the next commit (I7). */
  #makeRoom(): void {
    for (const run of this.#cache.live()) {
      if (this.#cache.liveRealms <= this.#limits.realmsMax) break;
      this.#park(run);
      this.#cache.closeRealm(run);
    }
    for (const run of this.#cache.runs()) {
      if (this.#cache.size <= this.#limits.runsMax) break;
      this.#cache.remove(run);
    }
    let made = 0;
    for (const run of this.#cache.live()) {
      if (made >= this.#limits.snapshotsPerCommitMax) break;
      if (run.state.lastEvent - run.snapshotAt < this.#limits.snapshotEveryEvents) continue;
      this.#park(run);
      made += 1;
    }
  }

  #park(run: CachedRun): void {
    if (!run.realm || run.state.lastEvent === run.snapshotAt) return;
    const { state, digest, number } = run;
    const body = encodeSnapshot(this.#key, { run: run.key, last: state.lastEvent, digest }, { state, image: run.realm.snapshot() });
    run.snapshotAt = state.lastEvent;
    // Decoded again only if it is wanted, and then checked like any other.
    this.#batch.snapshots.set(number, { run: number, last: state.lastEvent, digest, pin: state.pin, body });
    run.parked = { last: state.lastEvent, digest, state: JSON.parse(JSON.stringify(state)) as typeof state, image: body.subarray(body.length - imageBytes(body)) };
  }
}

const imageBytes = (body: Uint8Array): number => body.length - 36 - Buffer.from(body.buffer, body.byteOffset).readUInt32LE(32);

const refOf = (input: Input): RunRef => ({ tenant: input.tenant, workflowId: input.workflowId, ...(input.kind === 'start' || input.runId === undefined ? {} : { runId: input.runId }) });

const answerOf = (output: string): { readonly value?: Json } => {
  const { answer, refused } = JSON.parse(output) as { answer?: { value?: Json } | { error: { message: string } }; refused?: { message: string; known?: readonly string[] } };
  if (refused) throw new PerdureError('unknown-query', `${refused.message}; it has ${refused.known?.join(', ') || 'none'}.`);
  if (answer && 'error' in answer) throw new PerdureError('query-failed', answer.error.message);
  return answer ?? {};
};

