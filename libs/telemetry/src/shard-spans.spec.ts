import { beforeEach, describe, expect, it } from '@jest/globals';
import { AlwaysOnSampler, InMemorySpanExporter, ParentBasedSampler, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { ManualClock } from '@perdure/clock';
import { toTraceparent } from '@perdure/contract';
import type { InputSpan, ShardSpan } from '@perdure/hosting';
import { RequestSpans } from './request-spans.js';
import { ShardSpans } from './shard-spans.js';
import { DecidedIds, SpanWriter } from './span-writer.js';

const RUN = { tenant: 't', workflowId: 'w', runId: 'r' };
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const ROOT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
const STRANGER = ROOT.replace('4bf9', 'aaaa');
const SIGNAL = { method: 'POST', route: '/v1/workflows/:workflowId/signals/:name' };
const ANSWERED = { status: 200, path: '/v1/workflows/w/signals/s', startMs: 1, endMs: 9 };

const signal = (more: Partial<InputSpan>): InputSpan => ({ kind: 'input', spanId: 'aaaaaaaaaaaaaaaa', trace: ROOT, isRequest: true, input: 'signal', inputId: 'i', run: RUN, workflowType: 'deliver', startMs: 5.25, processMs: 6, processedMs: 7, ...more });

describe('spans of what shards report', () => {
  let exporter: InMemorySpanExporter;
  let requests: RequestSpans;
  let shards: ShardSpans;

  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    const ids = new DecidedIds();
    const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() });
    const provider = new TracerProvider({ sampler, idGenerator: ids, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const writer = new SpanWriter({ tracer: provider.getTracer('test'), ids, sampler });
    requests = new RequestSpans({ writer, clock: new ManualClock() });
    shards = new ShardSpans(writer, requests);
  });

  const record = (...spans: ShardSpan[]): void => shards.record({ spans, commitMs: 8, committedMs: 8.5 });
  const only = (name: string): ReadableSpan => {
    const [span, ...more] = exporter.getFinishedSpans().filter((each) => each.name === name);
    expect(more).toEqual([]);
    return span!;
  };

  it('are where and when the shard says, whatever the age of this process', () => {
    record(signal({}));
    const span = only('input signal');
    expect(span).toMatchObject({ startTime: [0, 5_250_000], endTime: [0, 8_500_000], parentSpanContext: { traceId: TRACE_ID, spanId: ROOT.slice(36, 52) } });
    expect(span.spanContext()).toMatchObject({ traceId: TRACE_ID, spanId: 'aaaaaaaaaaaaaaaa' });
  });

  it('take a request that brought no trace into the run’s, while it is open', () => {
    const request = requests.open(SIGNAL)!;
    const sender = toTraceparent(request.context);
    record(signal({ sender }));
    requests.close(request, ANSWERED);
    expect(only('POST /v1/workflows/:workflowId/signals/:name').spanContext()).toMatchObject({ traceId: TRACE_ID, spanId: sender.slice(36, 52) });
    expect(only('input signal')).toMatchObject({ links: [], parentSpanContext: { traceId: TRACE_ID, spanId: sender.slice(36, 52) } });
    exporter.reset();
    record(signal({ sender }));
    expect(only('input signal')).toMatchObject({ links: [{ context: { traceId: sender.slice(3, 35) } }], parentSpanContext: { spanId: ROOT.slice(36, 52) } });
  });

  it('leave an event’s request in its own trace, for many runs may take the event', () => {
    const request = requests.open({ method: 'POST', route: '/v1/events' })!;
    const { context } = request;
    record(signal({ input: 'eventOffered', isRequest: false, sender: toTraceparent(context) }));
    requests.close(request, ANSWERED);
    expect(only('input eventOffered')).toMatchObject({ links: [{ context: { traceId: context.traceId } }], parentSpanContext: { spanId: ROOT.slice(36, 52) } });
    expect(only('POST /v1/events').spanContext().traceId).toBe(context.traceId);
  });

  it('leave out a request for a run that is not sampled', () => {
    const request = requests.open(SIGNAL)!;
    record({ kind: 'joined', trace: ROOT.replace(/01$/, '00'), sender: toTraceparent(request.context) });
    requests.close(request, ANSWERED);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('hang a request’s input below it in the run’s own trace, and link another run’s', () => {
    const sender = ROOT.replace('00f0', 'bbbb');
    record(signal({ sender }));
    expect(only('input signal')).toMatchObject({ links: [], parentSpanContext: { spanId: sender.slice(36, 52) } });
    exporter.reset();
    record(signal({ sender: STRANGER, isRequest: false }));
    expect(only('input signal')).toMatchObject({ links: [{ context: { traceId: STRANGER.slice(3, 35) } }], parentSpanContext: { spanId: ROOT.slice(36, 52) } });
  });

  it('are none for polls, probes, and reads that nobody traces', () => {
    const arrived = [{ method: 'POST', route: '/v1/tasks/poll', sent: STRANGER }, { method: 'GET', route: '/metrics', sent: STRANGER }, { method: 'GET', route: '/v1/workflows' }, { method: 'POST', route: '/v1/workflows/:workflowId/queries/:name' }];
    expect(arrived.map((each) => requests.open(each))).toEqual([undefined, undefined, undefined, undefined]);
    expect(requests.open({ method: 'GET', route: '/v1/workflows', sent: STRANGER })?.context.traceId).toBe(STRANGER.slice(3, 35));
  });
});
