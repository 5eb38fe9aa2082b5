import type { Clock } from '@perdure/clock';
import { LIMITS, PerdureError, type Attributes, type Input, type InputBody, type InputOutcome, type InputRef, type Json, type RunResult } from '@perdure/contract';
import { deriveRunId, newId } from '@perdure/identity';
import { unknownBundle } from './bundles.js';
import { assertDurationMs, assertId, assertName, assertReachableId } from './ids.js';
import type { BundleRegistry, Log, Outcomes, Queries, RunReader, RunRef } from './ports.js';
import type { CancelRequest, MessageRequest, QueryRequest, ResumeRequest, StartRequest, TerminateRequest } from './requests.js';

export interface WorkflowsDeps {
  readonly log: Log;
  readonly outcomes: Outcomes;
  readonly runs: RunReader;
  readonly queries: Queries;
  readonly bundles: BundleRegistry;
  readonly clock: Clock;
}

/** Who asks, and how long they stay. */
export interface Caller {
  readonly tenant: string;
  /** W3C traceparent of the request. */
  readonly trace?: string;
  readonly signal?: AbortSignal;
  /** Answer once the input is durable instead of once it is decided. */
  readonly respondAsync?: boolean;
}

/** `undefined` outcome: durable, but not decided within the deadline; ask again by `inputId`. */
export interface Submitted {
  readonly workflowId: string;
  readonly inputId: string;
  readonly outcome: InputOutcome | undefined;
}

type Target = { readonly workflowId: string; readonly runId?: string | undefined; readonly id?: string | undefined };

/** What a client may do with runs. Checks, addresses and appends; the answer is the engine's decision. */
export class Workflows {
  readonly #deps: WorkflowsDeps;

  constructor(deps: WorkflowsDeps) {
    this.#deps = deps;
  }

  /** The same (workflowId, id) is the same start however often it is sent. Without an id there is one start per workflow id. */
  async start(caller: Caller, request: StartRequest, idempotencyKey?: string): Promise<Submitted> {
    const { tenant } = caller;
    assertName('workflowType', request.workflowType);
    const id = request.id ?? idempotencyKey;
    if (id !== undefined) assertId('id', id);
    const workflowId = assertReachableId('workflowId', request.workflowId ?? id ?? newId(this.#deps.clock.now()));
    const inputId = id === undefined || request.workflowId === undefined ? 'start' : `start/${id}`;
    const runTimeoutMs = request.runTimeoutMs === undefined ? undefined : assertDurationMs('runTimeoutMs', request.runTimeoutMs);
    const attributes = attributesOf(request);
    const bundle = await this.#bundleFor(tenant, request);
    return this.#submit(caller, this.#toInput(caller, { workflowId, inputId }, {
      kind: 'start',
      workflowType: request.workflowType,
      newRunId: deriveRunId({ tenant, workflowId, startId: inputId }),
      bundle,
      ...(request.input === undefined ? {} : { input: request.input }),
      ...(attributes ? { attributes } : {}),
      ...(runTimeoutMs === undefined ? {} : { runTimeoutMs }),
    }));
  }

  signal(caller: Caller, workflowId: string, message: MessageRequest & { readonly name: string }): Promise<Submitted> {
    return this.#send(caller, { ...message, workflowId }, { kind: 'signal', name: assertName('signal', message.name), ...inputOf(message) });
  }

  /** Answers when the handler has finished, or with `accepted` when it takes longer than the deadline. */
  async update(caller: Caller, workflowId: string, message: MessageRequest & { readonly name: string }): Promise<Submitted> {
    const input = this.#messageOf(caller, { ...message, workflowId }, { kind: 'update', name: assertName('update', message.name), ...inputOf(message) });
    const submitted = await this.#submit(caller, input);
    if (submitted.outcome?.kind !== 'accepted' || caller.respondAsync) return submitted;
    const outcome = await this.#deps.outcomes.await(input, { untilMs: this.#deps.clock.now() + LIMITS.requestDeadlineMs, done: ({ kind }) => kind !== 'accepted', ...signalOf(caller) });
    return { ...submitted, outcome: outcome ?? submitted.outcome };
  }

  query(caller: Caller, workflowId: string, message: QueryRequest & { readonly name: string }): Promise<{ readonly value?: Json }> {
    return this.#deps.queries.query(refOf(caller.tenant, { ...message, workflowId }), { name: assertName('query', message.name), ...inputOf(message) });
  }

  cancel(caller: Caller, workflowId: string, request: CancelRequest): Promise<Submitted> {
    return this.#send(caller, { ...request, workflowId }, { kind: 'cancel', ...reasonOf(request) });
  }

  terminate(caller: Caller, workflowId: string, request: TerminateRequest): Promise<Submitted> {
    return this.#send(caller, { ...request, workflowId }, { kind: 'terminate', compensate: request.compensate, ...reasonOf(request) });
  }

  suspend(caller: Caller, workflowId: string, request: CancelRequest): Promise<Submitted> {
    return this.#send(caller, { ...request, workflowId }, { kind: 'suspend', ...reasonOf(request) });
  }

  async resume(caller: Caller, workflowId: string, request: ResumeRequest): Promise<Submitted> {
    const { bundle, fail } = request;
    if (bundle && !(await this.#deps.bundles.find(caller.tenant, bundle))) throw unknownBundle(bundle);
    return this.#send(caller, { ...request, workflowId }, { kind: 'resume', fail, ...(bundle ? { bundle } : {}), ...reasonOf(request) });
  }

  /** Of the newest run, or of the given one; follows continue-as-new unless a run is given. Waits up to `waitMs` for it to close. */
  async result(caller: Caller, target: { readonly workflowId: string; readonly runId?: string }, waitMs: number): Promise<RunResult> {
    const { runs, clock } = this.#deps;
    let ref = refOf(caller.tenant, target);
    const untilMs = clock.now() + waitMs;
    for (;;) {
      const result = await runs.result(ref);
      if (!result) throw unknownRun(ref);
      if (result.status === 'continued' && target.runId === undefined) {
        ref = { ...ref, runId: result.nextRunId };
        continue;
      }
      if ((result.status !== 'running' && result.status !== 'suspended') || clock.now() >= untilMs || caller.signal?.aborted) return result;
      await runs.whenClosed({ ...ref, runId: result.runId }, { untilMs, ...signalOf(caller) });
    }
  }

  outcome(ref: InputRef): Promise<InputOutcome | undefined> {
    return this.#deps.outcomes.find(ref);
  }

  async #send(caller: Caller, target: Target, body: InputBody): Promise<Submitted> {
    return this.#submit(caller, this.#messageOf(caller, target, body));
  }

  #messageOf(caller: Caller, target: Target, body: InputBody): Input {
    const id = target.id === undefined ? newId(this.#deps.clock.now()) : assertId('id', target.id);
    return this.#toInput(caller, { ...target, inputId: `${body.kind}/${id}` }, body);
  }

  #toInput({ tenant, trace }: Caller, { inputId, ...target }: Target & { readonly inputId: string }, body: InputBody): Input {
    return { ...refOf(tenant, target), id: inputId, at: this.#deps.clock.now(), ...(trace ? { trace } : {}), ...body };
  }

  async #submit(caller: Caller, input: Input): Promise<Submitted> {
    const { log, outcomes, clock } = this.#deps;
    const untilMs = clock.now() + LIMITS.requestDeadlineMs;
    const [appended] = await log.append([input]);
    const submitted = { workflowId: input.workflowId, inputId: input.id };
    if (appended?.kind === 'decided') return { ...submitted, outcome: caller.respondAsync ? keepRefusal(appended.outcome) : appended.outcome };
    if (caller.respondAsync) return { ...submitted, outcome: undefined };
    const outcome = await outcomes.await(input, { untilMs, done: () => true, ...signalOf(caller) });
    return { ...submitted, outcome };
  }

  async #bundleFor(tenant: string, request: StartRequest): Promise<string> {
    const { bundles } = this.#deps;
    if (request.bundle === undefined) {
      const hash = await bundles.defaultFor(tenant, request.workflowType);
      if (hash) return hash;
      throw new PerdureError('unknown-workflow', `No deployed bundle has a workflow "${request.workflowType}": an async function that it exports by this name.`);
    }
    const bundle = await bundles.find(tenant, request.bundle);
    if (!bundle) throw unknownBundle(request.bundle);
    if (!bundle.workflows.includes(request.workflowType)) throw new PerdureError('unknown-workflow', `Bundle ${request.bundle} has ${bundle.workflows.join(', ')}, but no "${request.workflowType}".`);
    return request.bundle;
  }
}

export const unknownRun = ({ workflowId, runId }: { readonly workflowId: string; readonly runId?: string }): PerdureError =>
  new PerdureError('unknown-run', `There is no run of "${workflowId}"${runId ? ` named ${runId}` : ''}.`);

const refOf = (tenant: string, { workflowId, runId }: Target): RunRef => ({ tenant, workflowId: assertId('workflowId', workflowId), ...(runId === undefined ? {} : { runId: assertId('runId', runId) }) });

const keepRefusal = (outcome: InputOutcome): InputOutcome | undefined => (outcome.kind === 'refused' ? outcome : undefined);
const inputOf = ({ input }: { readonly input?: Json | undefined }): { readonly input?: Json } => (input === undefined ? {} : { input });
const reasonOf = ({ reason }: { readonly reason?: string | undefined }): { readonly reason?: string } => (reason === undefined ? {} : { reason });
const signalOf = ({ signal }: Caller): { readonly signal?: AbortSignal } => (signal ? { signal } : {});

const attributesOf = ({ memo, searchAttributes }: StartRequest): Attributes | undefined => {
  if (!memo && !searchAttributes) return undefined;
  const attributes = { ...(memo ? { memo } : {}), ...(searchAttributes ? { searchAttributes } : {}) };
  const bytes = Buffer.byteLength(JSON.stringify(attributes));
  if (bytes > LIMITS.attributesBytesMax) throw new PerdureError('limit-exceeded', `memo and search attributes take ${bytes} bytes, over the ${LIMITS.attributesBytesMax} allowed.`);
  return attributes;
};
