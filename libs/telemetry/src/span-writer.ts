import { ROOT_CONTEXT, SamplingDecision, SpanStatusCode, trace, TraceFlags, type Attributes, type Context, type HrTime, type Link, type SpanContext, type SpanKind, type TimeInput, type Tracer } from '@opentelemetry/api';
import type { IdGenerator, Sampler } from '@opentelemetry/sdk-trace';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';
import type { TraceContext } from '@perdure/contract';
import { rootSpanIdOf } from './request-roots.js';

/** A span that is over: it is made when all of it is known. Times are epoch milliseconds. */
export interface WrittenSpan {
  readonly context: TraceContext;
  readonly parent?: TraceContext;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly links?: readonly TraceContext[];
  readonly events?: readonly { readonly name: string; readonly atMs: number }[];
  /** Set for a span that failed. */
  readonly error?: string;
}

/** Gives the ids that were decided long before the span is made: at the request's begin, in the shard, in an earlier process. */
export class DecidedIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #next: TraceContext | undefined;

  decide(next: TraceContext | undefined): void {
    this.#next = next;
  }
  generateTraceId(): string {
    return this.#next?.traceId ?? this.#random.generateTraceId();
  }
  generateSpanId(): string {
    return this.#next?.spanId ?? this.#random.generateSpanId();
  }
}

/** Fractions kept, and no doubt whether a small number is an offset. */
const toHrTime = (epochMs: number): HrTime => [Math.floor(epochMs / 1000), Math.floor((epochMs % 1000) * 1e6)];

const toSpanContext = ({ traceId, spanId, sampled }: TraceContext): SpanContext => ({ traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true });

const contextBelow = (parent: TraceContext | undefined): Context => (parent ? trace.setSpanContext(ROOT_CONTEXT, toSpanContext(parent)) : ROOT_CONTEXT);

export class SpanWriter {
  readonly #tracer: Tracer;
  readonly #ids: DecidedIds;
  readonly #sampler: Sampler;

  constructor({ tracer, ids, sampler }: { readonly tracer: Tracer; readonly ids: DecidedIds; readonly sampler: Sampler }) {
    this.#tracer = tracer;
    this.#ids = ids;
    this.#sampler = sampler;
  }

  /** A context for a span that begins now, and whether it is to be recorded. */
  begin(parent: TraceContext | undefined, { name, kind }: Pick<WrittenSpan, 'name' | 'kind'>): TraceContext {
    const traceId = parent?.traceId ?? this.#ids.generateTraceId();
    const { decision } = this.#sampler.shouldSample(contextBelow(parent), traceId, name, kind, {}, []);
    return { traceId, spanId: parent ? this.#ids.generateSpanId() : rootSpanIdOf(traceId), sampled: decision === SamplingDecision.RECORD_AND_SAMPLED };
  }

  write({ context, parent, name, kind, startMs, endMs, attributes, links = [], events = [], error }: WrittenSpan): void {
    if (!context.sampled) return;
    this.#ids.decide(context);
    const span = this.#tracer.startSpan(name, { kind, attributes, startTime: toHrTime(startMs) as TimeInput, links: links.map((link): Link => ({ context: toSpanContext(link) })) }, contextBelow(parent));
    this.#ids.decide(undefined);
    for (const event of events) span.addEvent(event.name, toHrTime(event.atMs));
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(toHrTime(endMs));
  }
}
