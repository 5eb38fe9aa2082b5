import { context, ProxyTracerProvider, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Attributes, type Context, type Span, type Tracer } from '@opentelemetry/api';
import { parseTraceparent, type TaskAnswer, type TaskEnvelope } from '@perdure/contract';

const NAME = '@perdure/sdk';

/** Of the API alone: whoever sets up an SDK in the worker's process, whenever, gets the spans. Without one there is none to ask. */
const tracerNow = (): Tracer | undefined => {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider ? provider.getDelegateTracer(NAME) : provider.getTracer(NAME);
};

const NOTHING = (): void => undefined;

/**
 * Runs an attempt in a span below the server's; what the activity itself traces hangs below that.
 * Names by the messaging conventions: the task is a message, its queue the destination.
 */
export const inActivitySpan = <Answer extends { readonly kind: TaskAnswer['kind'] }>(task: TaskEnvelope, run: (failed: (thrown: unknown) => void) => Promise<Answer>): Promise<Answer> => {
  const tracer = tracerNow();
  return tracer ? traced(tracer, { task, run }) : run(NOTHING);
};

const traced = async <Answer extends { readonly kind: TaskAnswer['kind'] }>(tracer: Tracer, { task, run }: { readonly task: TaskEnvelope; readonly run: (failed: (thrown: unknown) => void) => Promise<Answer> }): Promise<Answer> => {
  const parent = contextOf(task);
  const span = tracer.startSpan(`process ${task.name}`, { kind: SpanKind.CONSUMER, attributes: attributesOf(task) }, parent);
  try {
    const answer = await context.with(trace.setSpan(parent, span), run, undefined, (thrown: unknown) => recordFailure(span, thrown));
    span.setAttribute('perdure.activity.outcome', answer.kind);
    return answer;
  } finally {
    span.end();
  }
};

/** Not the context of whoever polled: the attempt belongs to its run. */
const contextOf = ({ trace: traceparent }: TaskEnvelope): Context => {
  const parent = parseTraceparent(traceparent);
  if (!parent) return ROOT_CONTEXT;
  const { traceId, spanId, sampled } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true });
};

const attributesOf = ({ run, seq, role, name, queue, workflowType, attempt, idempotencyKey }: TaskEnvelope): Attributes => ({
  'messaging.system': 'perdure',
  'messaging.operation.type': 'process',
  'messaging.operation.name': 'process',
  'messaging.destination.name': queue,
  'messaging.message.id': idempotencyKey,
  'perdure.tenant': run.tenant,
  'perdure.workflow.id': run.workflowId,
  'perdure.workflow.type': workflowType,
  'perdure.run.id': run.runId,
  'perdure.activity.name': name,
  'perdure.activity.seq': seq,
  'perdure.activity.role': role,
  'perdure.activity.attempt': attempt,
});

const recordFailure = (span: Span, thrown: unknown): void => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  span.recordException(error);
  span.setAttribute('error.type', error.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
};
