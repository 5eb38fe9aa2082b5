import { hash } from 'node:crypto';
import type { Clock } from '@perdure/clock';
import { idempotencyKeyOf, isClosed, isSampled, toTraceparent, type Effect, type Input, type InputKind, type RunResult, type SuspendReason, type TaskSpec } from '@perdure/contract';
import type { RunState } from '@perdure/engine';
import type { ProcessorObserver } from '@perdure/history';
import type { AttemptEnd, AttemptEnding, ObservedAttempt, SchedulerObserver } from '@perdure/scheduler';
import { ShardMetrics, type MetricJson, type ShardLevels } from './shard-metrics.js';
import type { ShardSpan, SpanReport } from './shard-span.js';

export interface ShardObserverOptions {
  readonly clock: Clock;
  /** Where it counts. Several shards may count together. Default: its own. */
  readonly metrics?: ShardMetrics;
  /** Takes what traced runs did, after each commit. Absent: traces are off. */
  readonly report?: (report: SpanReport) => void;
}

/** From clients; what else there is comes from the services. */
const REQUESTS: ReadonlySet<InputKind> = new Set<InputKind>(['start', 'signal', 'update', 'cancel', 'terminate', 'suspend', 'resume']);

/** Derived, so that a span has the same id wherever and whenever it is named: an attempt is handed out before a crash and ends after it. */
const spanIdOf = (what: string): string => hash('sha1', what, 'hex').slice(0, 16);

const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);

const below = (traceparent: string, spanId: string): string => toTraceparent({ traceId: traceIdOf(traceparent), spanId, sampled: true });

/**
 * Sees what a shard does, for metrics and traces.
 *
 * 1. What happens in a batch is told after its commit, and not at all when the batch was taken back.
 * 2. A run's trace, and whether it is sampled, is what its start said; its inputs and attempts hold to that.
 * 3. Without `report` and for a run that is not sampled, a span costs a comparison.
 */
export class ShardObserver implements ProcessorObserver, SchedulerObserver {
  readonly #metrics: ShardMetrics;
  readonly #clock: Clock;
  readonly #report: ((report: SpanReport) => void) | undefined;
  /** Added to `performance.now()`, gives the time of the clock with fractions. */
  #originMs: number;
  #input: Input | undefined;
  #processMs = 0;
  #tookMs = 0;
  // Of the batch that is being made (invariant 1).
  #spans: ShardSpan[] = [];
  #started: string[] = [];
  #ended: { readonly tenant: string; readonly how: AttemptEnding }[] = [];
  #poisoned: string[] = [];
  #lateness: number[] = [];

  constructor({ clock, report, metrics = new ShardMetrics() }: ShardObserverOptions) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#report = report;
    this.#originMs = clock.now() - performance.now();
  }

  // ── history ───────────────────────────────────────────────────────────────────────────────────────────────────────

  processing(input: Input): void {
    this.#input = input;
    if (this.#report) this.#processMs = this.#now();
  }

  processed(input: Input, state: RunState, effects: readonly Effect[]): readonly Effect[] {
    if (input.kind === 'start') this.#started.push(state.run.tenant);
    if (!this.#report) return effects;
    if (!isSampled(state.trace)) {
      this.dropped(input, state);
      return effects;
    }
    const { run, trace, workflowType, status } = state;
    const spanId = spanIdOf(`${run.runId}\u0000${input.id}`);
    const isRequest = REQUESTS.has(input.kind) && !('from' in input) && (input.kind !== 'start' || input.parent === undefined);
    this.#spans.push({
      kind: 'input', spanId, trace, isRequest, input: input.kind, inputId: input.id, run, workflowType,
      ...(input.trace === undefined ? {} : { sender: input.trace }),
      ...(isClosed(status) ? { closed: status } : {}),
      startMs: Math.min(input.at, this.#processMs), processMs: this.#processMs, processedMs: this.#now(),
    });
    return retraced(effects, below(trace, spanId));
  }

  dropped(input: Input, { trace }: RunState): void {
    if (!this.#report || trace === undefined || input.trace === undefined || !REQUESTS.has(input.kind) || traceIdOf(input.trace) === traceIdOf(trace)) return;
    this.#spans.push({ kind: 'joined', trace, sender: input.trace });
  }

  /** After the commit. */
  closed(tenant: string, { status }: RunResult): void {
    this.#metrics.closed(tenant, status);
  }

  /** After the commit. */
  suspended(tenant: string, { kind }: SuspendReason): void {
    this.#metrics.suspended(tenant, kind);
  }

  /** For a line of the log: the run's trace, and the span of the input in hand. */
  traceFields(runId: string | undefined, trace: string | undefined): { readonly trace_id?: string; readonly span_id?: string } {
    if (trace === undefined) return {};
    const isSpan = this.#report !== undefined && isSampled(trace) && this.#input !== undefined;
    return { trace_id: traceIdOf(trace), span_id: isSpan ? spanIdOf(`${runId}\u0000${this.#input!.id}`) : trace.slice(36, 52) };
  }

  // ── scheduler ─────────────────────────────────────────────────────────────────────────────────────────────────────

  handedOut({ spec, token, readyMs, startedMs }: ObservedAttempt): string | undefined {
    this.#metrics.handedOut(startedMs! - readyMs);
    return this.#report && isSampled(spec.trace) ? below(spec.trace, spanIdOf(token)) : spec.trace;
  }

  attemptEnded({ spec, token, attempt, readyMs, startedMs }: ObservedAttempt, { how, error }: AttemptEnd): void {
    const { run, workflowType, seq, role, name, options, trace } = spec;
    this.#ended.push({ tenant: run.tenant, how });
    if (!this.#report || !isSampled(trace)) return;
    this.#spans.push({
      kind: 'attempt', spanId: spanIdOf(token), parent: trace, run, workflowType, seq, role, name, queue: options.queue, idempotencyKey: idempotencyKeyOf(spec), attempt, how,
      ...(error ? { error: { type: error.type, message: error.message } } : {}),
      isAdopted: startedMs === undefined, startMs: startedMs ?? readyMs, endMs: this.#now(),
    });
  }

  poisoned({ run }: TaskSpec): void {
    this.#poisoned.push(run.tenant);
  }

  timerFired(latenessMs: number): void {
    this.#lateness.push(latenessMs);
  }

  // ── the batch ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The batch needed a transaction. */
  wrote(tookMs: number): void {
    this.#tookMs = tookMs;
    this.#metrics.committed(tookMs);
  }

  committed(): void {
    const metrics = this.#metrics;
    for (const tenant of this.#started) metrics.started(tenant);
    for (const { tenant, how } of this.#ended) metrics.attemptEnded(tenant, how);
    for (const tenant of this.#poisoned) metrics.poisoned(tenant);
    for (const latenessMs of this.#lateness) metrics.timerFired(latenessMs);
    if (this.#report && this.#spans.length > 0) {
      const committedMs = this.#now();
      this.#report({ spans: this.#spans, commitMs: committedMs - this.#tookMs, committedMs });
    }
    this.takeBack();
  }

  takeBack(): void {
    this.#input = undefined;
    this.#tookMs = 0;
    if (this.#spans.length > 0) this.#spans = [];
    if (this.#started.length > 0) this.#started = [];
    if (this.#ended.length > 0) this.#ended = [];
    if (this.#poisoned.length > 0) this.#poisoned = [];
    if (this.#lateness.length > 0) this.#lateness = [];
    // The wall clock may have been set meanwhile.
    if (this.#report) this.#originMs = this.#clock.now() - performance.now();
  }

  metrics(levels: ShardLevels): Promise<MetricJson[]> {
    return this.#metrics.collect(levels);
  }

  #now(): number {
    return this.#originMs + performance.now();
  }
}

/** What follows from an input hangs below its span. Only what carries the run's trace already carries this one. */
const retraced = (effects: readonly Effect[], trace: string): Effect[] =>
  effects.map((effect) => {
    if (effect.to === 'history') return effect.input.trace === undefined ? effect : { ...effect, input: { ...effect.input, trace } };
    return 'trace' in effect && effect.trace !== undefined ? { ...effect, trace } : effect;
  });
