import { beforeEach, describe, expect, it } from '@jest/globals';
import { AlwaysOnSampler, InMemorySpanExporter, ParentBasedSampler, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { ManualClock } from '@perdure/clock';
import { parseTraceparent, type TraceContext } from '@perdure/contract';
import { isOwnRoot } from './request-roots.js';
import { RequestSpans } from './request-spans.js';
import { DecidedIds, SpanWriter } from './span-writer.js';

const ROOT: TraceContext = parseTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')!;
const SIGNAL = { method: 'POST', route: '/v1/workflows/:workflowId/signals/:name' };
const ANSWERED = { status: 200, path: '/v1/workflows/w/signals/s', startMs: 1, endMs: 9 };

describe('spans of requests whose runs are in another process', () => {
  let exporter: InMemorySpanExporter;
  let clock: ManualClock;
  let requests: RequestSpans;

  beforeEach(() => {
    exporter = new InMemorySpanExporter();
    clock = new ManualClock();
    const ids = new DecidedIds();
    const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() });
    const provider = new TracerProvider({ sampler, idGenerator: ids, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    requests = new RequestSpans({ writer: new SpanWriter({ tracer: provider.getTracer('test'), ids, sampler }), clock, patienceMs: 1_000 });
  });

  const written = (): readonly string[] => exporter.getFinishedSpans().map((span) => span.spanContext().traceId);
  const answered = (more: { readonly route?: string; readonly status?: number } = {}): TraceContext => {
    const span = requests.open({ ...SIGNAL, ...(more.route === undefined ? {} : { route: more.route }) })!;
    const { context } = span;
    requests.close(span, { ...ANSWERED, ...(more.status === undefined ? {} : { status: more.status }) });
    return context;
  };

  it('are kept after the answer, until it is known for which run they were', () => {
    const context = answered();
    expect(written()).toEqual([]);
    expect(requests.join(context, ROOT)).toBe(true);
    expect(exporter.getFinishedSpans()[0]).toMatchObject({ parentSpanContext: { spanId: ROOT.spanId } });
    expect(exporter.getFinishedSpans()[0]!.spanContext()).toMatchObject({ traceId: ROOT.traceId, spanId: context.spanId });
    expect(requests.join(context, ROOT)).toBe(false);
    clock.advanceBy(10_000);
    expect(written()).toHaveLength(1);
  });

  it('go at once where it was known before, also for the request that the run’s trace began with', () => {
    const signal = requests.open(SIGNAL)!;
    requests.join(signal.context, ROOT);
    requests.close(signal, ANSWERED);
    const start = requests.open({ method: 'POST', route: '/v1/workflows' })!;
    requests.join(start.context, start.context);
    requests.close(start, ANSWERED);
    expect(written()).toEqual([ROOT.traceId, start.context.traceId]);
    expect(exporter.getFinishedSpans()[1]!.parentSpanContext).toBeUndefined();
  });

  it('go in a trace of their own when nothing is heard, and when the process ends', () => {
    const [first, second] = [answered(), answered()];
    clock.advanceBy(999);
    expect(written()).toEqual([]);
    clock.advanceBy(1);
    expect(written()).toEqual([first.traceId, second.traceId]);
    const third = answered();
    requests.stop();
    expect(written().at(-1)).toBe(third.traceId);
  });

  it('are not kept where there is no run to hear of', () => {
    answered({ status: 401 });
    answered({ route: '/v1/events' });
    requests.close(requests.open({ ...SIGNAL, sent: '00-aaf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })!, ANSWERED);
    expect(written()).toHaveLength(3);
    answered({ status: 499 });
    expect(written()).toHaveLength(3);
  });

  it('are kept so many, beyond which the oldest go', () => {
    const first = answered();
    for (let more = 0; more < 10_000; more++) answered();
    expect(written()).toEqual([first.traceId]);
  });

  it('can be told from a stranger’s by their ids', () => {
    expect(isOwnRoot(requests.open(SIGNAL)!.context)).toBe(true);
    expect(isOwnRoot(ROOT)).toBe(false);
    expect(isOwnRoot(requests.open({ ...SIGNAL, sent: '00-aaf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })!.context)).toBe(false);
  });

  it('are none of what nodes say to each other', () => {
    expect(requests.open({ method: 'POST', route: '/internal/deliveries', sent: '00-aaf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })).toBeUndefined();
  });
});
