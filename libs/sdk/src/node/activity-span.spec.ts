import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { TaskEnvelope } from '@perdure/contract';
import { completeLater } from '../activity/index.js';
import { Attempt } from './attempt.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT_ID = '00f067aa0ba902b7';

const attemptOf = (more: Partial<TaskEnvelope> = {}): Attempt =>
  new Attempt({ token: 'k', name: 'charge', run: { tenant: 't', workflowId: 'w', runId: 'r' }, seq: 3, role: 'activity', bundle: 'b', workflowType: 'deliver', queue: 'payments', attempt: 2, epoch: 1, idempotencyKey: 't/w/r/3', deadline: 60_000, trace: `00-${TRACE_ID}-${PARENT_ID}-01`, ...more }, () => undefined);

describe('an attempt in a process that has a tracing SDK of its own', () => {
  const spans = new InMemorySpanExporter();

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }));
  });
  beforeEach(() => spans.reset());
  afterAll(() => {
    trace.disable();
    context.disable();
  });

  it('is a span below the server’s, and the activity’s own hang below it', async () => {
    await attemptOf().run(async () => {
      await Promise.resolve();
      trace.getTracer('user').startSpan('SELECT').end();
    });
    const [own, span] = spans.getFinishedSpans();
    expect(span).toMatchObject({ name: 'process charge', kind: SpanKind.CONSUMER, parentSpanContext: { traceId: TRACE_ID, spanId: PARENT_ID }, status: { code: SpanStatusCode.UNSET } });
    expect(span!.attributes).toMatchObject({ 'messaging.destination.name': 'payments', 'perdure.run.id': 'r', 'perdure.activity.seq': 3, 'perdure.activity.attempt': 2, 'perdure.activity.outcome': 'completed' });
    expect(own).toMatchObject({ name: 'SELECT', parentSpanContext: { traceId: TRACE_ID, spanId: span!.spanContext().spanId } });
  });

  it('says how it failed', async () => {
    await attemptOf().run(() => Promise.reject(new RangeError('no funds')));
    const [span] = spans.getFinishedSpans();
    expect(span).toMatchObject({ status: { code: SpanStatusCode.ERROR, message: 'no funds' }, attributes: { 'error.type': 'RangeError', 'perdure.activity.outcome': 'failed' }, events: [{ name: 'exception' }] });
  });

  it('that completes later is no error', async () => {
    await attemptOf().run(async () => completeLater());
    expect(spans.getFinishedSpans()[0]).toMatchObject({ status: { code: SpanStatusCode.UNSET }, attributes: { 'perdure.activity.outcome': 'accepted' } });
  });

  it('of a run that is not sampled leaves no span', async () => {
    await attemptOf({ trace: `00-${TRACE_ID}-${PARENT_ID}-00` }).run(async () => trace.getTracer('user').startSpan('SELECT').end());
    expect(spans.getFinishedSpans()).toEqual([]);
  });

  it('of a run without a trace has one of its own', async () => {
    const { trace: _, ...task } = attemptOf().task;
    await new Attempt(task, () => undefined).run(async () => undefined);
    expect(spans.getFinishedSpans()[0]!.parentSpanContext).toBeUndefined();
  });
});
