import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { bundle } from '@perdure/bundler';
import { activity } from '@perdure/sdk/activity';
import { Client } from '@perdure/sdk/client';
import { Worker } from '@perdure/sdk/node';
import { freePort, OtlpReceiver, type ReceivedSpan } from '@perdure/servers';
import { ServerProcess, until } from './server-process.js';

const SOURCE = `
import { activities, nextSignal, receive, signal, sleep } from '@perdure/sdk/workflow';
const { reserve, charge } = activities<{ reserve(id: string): Promise<string>; charge(id: string): Promise<string> }>({ retry: { initialInterval: '20ms' } });
const approved = signal<string>('approved');
export async function order(id: string): Promise<string> {
  const place = await reserve(id);
  const by = await nextSignal(approved);
  console.log('approved by ' + by);
  await sleep('30ms');
  return place + await charge(id) + by;
}
export async function scanned(): Promise<string> {
  return JSON.stringify(await receive.event('scan'));
}
`;

const STRANGER = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const PRODUCER = 4;
const SERVER = 2;
const CONSUMER = 5;

describe('traces', () => {
  let data: string;
  let receiver: OtlpReceiver;
  let server: ServerProcess;
  let client: Client;
  let worker: Worker | undefined;
  let working: Promise<void>;
  let provider: TracerProvider;
  let attempts: string[];

  const startServer = async (env: Record<string, string> = {}): Promise<void> => {
    server = new ServerProcess({ port: await freePort(), data, env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '20', PERDURE_LOG_LEVEL: 'info', ...env } });
    await server.start();
    client = new Client({ url: server.url });
    const { code, sourceMap } = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    await client.deploy({ name: 'order', code, sourceMap });
  };

  const startWorker = (): void => {
    worker = new Worker({ url: server.url, log: () => undefined, activities: { reserve, charge } });
    working = worker.run();
  };

  const stopWorker = async (): Promise<void> => {
    await worker?.shutdown(1_000);
    await working;
    worker = undefined;
  };

  const reserve = async (id: string): Promise<string> => {
    const { attempt } = activity();
    attempts.push(`${id} ${attempt}`);
    trace.getTracer('user').startActiveSpan('SELECT', (span) => span.end());
    if (attempt === 1) throw new Error('no room');
    return 'A';
  };
  const charge = async (): Promise<string> => 'B';

  beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'perdure-traces-'));
    attempts = [];
    receiver = await OtlpReceiver.open();
    // The worker's process has a tracing SDK of its own, as a user's would.
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    provider = new TracerProvider({ resource: resourceFromAttributes({ 'service.name': 'carrier' }), spanProcessors: [new SimpleSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` }) })] });
    trace.setGlobalTracerProvider(provider);
  });

  afterEach(async () => {
    await stopWorker();
    await client.close();
    await server.stop('SIGTERM');
    trace.disable();
    context.disable();
    await provider.shutdown();
    await receiver.close();
    rmSync(data, { recursive: true, force: true });
  });

  const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

  const result = async (workflowId: string): Promise<unknown> => client.run(workflowId).result();

  /** All of it is there: the server's last span is that of the input that closed the run. */
  const received = async (): Promise<readonly ReceivedSpan[]> => {
    await until(() => receiver.spans.some(({ attributes }) => attributes['perdure.run.status'] === 'completed'));
    await stopWorker();
    await server.stop('SIGTERM');
    await provider.forceFlush();
    return receiver.spans;
  };

  const only = (spans: readonly ReceivedSpan[], name: string, attributes: Readonly<Record<string, unknown>> = {}): ReceivedSpan => {
    const found = spans.filter((span) => span.name === name && Object.entries(attributes).every(([key, value]) => span.attributes[key] === value));
    expect([name, attributes, found.length]).toEqual([name, attributes, 1]);
    return found[0]!;
  };

  it('show a run as one, whatever it is made of', async () => {
    await startServer();
    startWorker();
    const started = await post('/v1/workflows', { workflowType: 'order', workflowId: 'o1', input: 'o1' });
    expect(started.status).toBe(201);
    const { runId } = (await started.json()) as { runId: string };
    expect((await post('/v1/workflows/o1/signals/approved', { input: 'C' })).status).toBe(200);
    expect(await result('o1')).toBe('ABC');
    // The same start again is for the run that there is.
    expect(await (await post('/v1/workflows', { workflowType: 'order', workflowId: 'o1', input: 'o1' })).json()).toMatchObject({ runId });
    const spans = await received();

    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(spans.flatMap(({ links }) => links ?? [])).toEqual([]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    const parentOf = (span: ReceivedSpan): ReceivedSpan | undefined => spans.find(({ spanId }) => spanId === span.parentSpanId);

    const [start, again] = spans.filter(({ name }) => name === 'POST /v1/workflows').sort((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1)) as [ReceivedSpan, ReceivedSpan];
    expect(parentOf(again)).toBe(start);
    expect(start).toMatchObject({ kind: SERVER, service: 'perdure', attributes: { 'http.request.method': 'POST', 'http.route': '/v1/workflows', 'perdure.tenant': 'demo' } });
    expect(start.parentSpanId ?? '').toBe('');
    const begun = only(spans, 'input start');
    expect(begun).toMatchObject({ attributes: { 'perdure.run.id': runId, 'perdure.workflow.id': 'o1', 'perdure.workflow.type': 'order', 'perdure.tenant': 'demo' } });
    expect(begun.events.map(({ name }) => name)).toEqual(['process', 'processed', 'commit']);
    expect(parentOf(begun)).toBe(start);

    const [first, second] = [1, 2].map((attempt) => only(spans, 'dispatch reserve', { 'perdure.activity.attempt': attempt }));
    for (const attempt of [first!, second!]) {
      expect(attempt).toMatchObject({ kind: PRODUCER, attributes: { 'messaging.destination.name': 'default', 'perdure.activity.seq': 1 } });
      expect(parentOf(attempt)).toBe(begun);
      const ran = only(spans, 'process reserve', { 'perdure.activity.attempt': attempt.attributes['perdure.activity.attempt'] });
      expect(ran).toMatchObject({ kind: CONSUMER, service: 'carrier' });
      expect(parentOf(ran)).toBe(attempt);
      expect(spans.filter(({ name, parentSpanId }) => name === 'SELECT' && parentSpanId === ran.spanId)).toHaveLength(1);
    }
    expect([first!.status.code, second!.status.code, first!.attributes['perdure.activity.outcome']]).toEqual([2, 0, 'failed']);

    const signal = only(spans, 'POST /v1/workflows/:workflowId/signals/:name');
    expect(parentOf(signal)).toBe(start);
    expect(parentOf(only(spans, 'input signal'))).toBe(signal);
    const fired = only(spans, 'input timerFired');
    expect(parentOf(fired)).toBe(start);
    expect(parentOf(only(spans, 'dispatch charge'))).toBe(fired);
    const closings = spans.filter(({ name }) => name === 'input activityClosed');
    expect(closings.map((span) => [parentOf(span), span.attributes['perdure.run.status']])).toEqual([[start, undefined], [start, 'completed']]);

    const line = server.output.split('\n').find((each) => each.includes('approved by C'))!;
    const { traceId } = start;
    expect(JSON.parse(line)).toMatchObject({ tenant: 'demo', workflowId: 'o1', runId, source: 'workflow', trace_id: traceId });
    expect(spans.map(({ spanId }) => spanId)).toContain((JSON.parse(line) as { span_id: string }).span_id);
  });

  it('join the trace of who starts a run, and link to that of who signals it', async () => {
    await startServer();
    startWorker();
    const starter = STRANGER.replace('4bf9', 'aaaa');
    await post('/v1/workflows', { workflowType: 'order', workflowId: 'o2', input: 'o2' }, { traceparent: starter });
    await post('/v1/workflows/o2/signals/approved', { input: 'C' }, { traceparent: STRANGER });
    expect(await result('o2')).toBe('ABC');
    const spans = await received();
    const start = only(spans, 'POST /v1/workflows');
    expect([start.traceId, start.parentSpanId]).toEqual([starter.slice(3, 35), starter.slice(36, 52)]);
    const request = only(spans, 'POST /v1/workflows/:workflowId/signals/:name');
    expect([request.traceId, request.parentSpanId]).toEqual([STRANGER.slice(3, 35), STRANGER.slice(36, 52)]);
    const signal = only(spans, 'input signal');
    expect(signal).toMatchObject({ traceId: start.traceId, parentSpanId: start.spanId, links: [{ traceId: request.traceId, spanId: request.spanId }] });
    expect(spans.filter((span) => span.traceId !== start.traceId)).toEqual([request]);
  });

  it('link to that of an event’s sender, which the run does not see', async () => {
    await startServer();
    startWorker();
    await client.start('scanned', { workflowId: 's1' });
    await client.start('scanned', { workflowId: 's2' });
    await post('/v1/events', [{ specversion: '1.0', source: '/s', id: 'e1', type: 'scan' }, { specversion: '1.0', source: '/s', id: 'e2', type: 'scan', traceparent: STRANGER }]);
    expect([await result('s1'), await result('s2')].join()).not.toContain('trace');
    await until(() => receiver.spans.filter(({ name }) => name === 'input eventOffered').length === 2);
    const spans = await received();
    const request = only(spans, 'POST /v1/events');
    const offers = spans.filter(({ name }) => name === 'input eventOffered');
    expect(offers.map(({ links }) => links.map(({ traceId }) => traceId))).toEqual([[request.traceId], [STRANGER.slice(3, 35)]]);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
  });

  it('that are not sent yet go before the server ends', async () => {
    await startServer({ OTEL_BSP_SCHEDULE_DELAY: '3600000' });
    startWorker();
    await post('/v1/workflows', { workflowType: 'order', workflowId: 'f1', input: 'f1' });
    await post('/v1/workflows/f1/signals/approved', { input: 'C' });
    expect(await result('f1')).toBe('ABC');
    await stopWorker();
    expect(receiver.spans.filter(({ service }) => service === 'perdure')).toEqual([]);
    await server.stop('SIGTERM');
    only(receiver.spans, 'input activityClosed', { 'perdure.run.status': 'completed' });
  });

  it('go by protobuf unless JSON is asked for', async () => {
    await startServer({ OTEL_EXPORTER_OTLP_PROTOCOL: '' });
    startWorker();
    await post('/v1/workflows', { workflowType: 'order', workflowId: 'p1', input: 'p1' }, { traceparent: STRANGER });
    await until(() => receiver.bodies.get('application/x-protobuf')?.includes(Buffer.from(STRANGER.slice(3, 35), 'hex')) ?? false);
  });

  it('go on as one when the server was killed and another process took over', async () => {
    await startServer();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    worker = new Worker({ url: server.url, log: () => undefined, activities: { reserve: () => held.then(() => 'A'), charge } });
    working = worker.run();
    await post('/v1/workflows', { workflowType: 'order', workflowId: 'o3', input: 'o3' });
    await until(() => receiver.spans.some(({ name }) => name === 'input start'));
    await server.stop('SIGKILL');
    await server.start();
    release();
    await post('/v1/workflows/o3/signals/approved', { input: 'C' });
    expect(await result('o3')).toBe('ABC');
    const spans = await received();
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    // Handed out by the one process, ended by the other: the worker's span hangs below it all the same.
    const attempt = only(spans, 'dispatch reserve');
    expect(attempt.attributes).toMatchObject({ 'perdure.activity.attempt': 1, 'perdure.activity.adopted': true });
    expect(only(spans, 'process reserve').parentSpanId).toBe(attempt.spanId);
    expect(attempt.parentSpanId).toBe(only(spans, 'input start').spanId);
  });

  it('of runs that are not sampled are not sent', async () => {
    await startServer({ OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    startWorker();
    await post('/v1/workflows', { workflowType: 'order', workflowId: 'o4', input: 'o4' });
    await post('/v1/workflows/o4/signals/approved', { input: 'C' }, { traceparent: STRANGER });
    expect(await result('o4')).toBe('ABC');
    await server.stop('SIGTERM');
    expect(receiver.spans.map(({ name, traceId }) => [name, traceId])).toEqual([['POST /v1/workflows/:workflowId/signals/:name', STRANGER.slice(3, 35)]]);
  });

  it('cost nothing but a line when nobody takes them', async () => {
    await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`, OTEL_EXPORTER_OTLP_TIMEOUT: '200' });
    startWorker();
    for (let i = 0; i < 20; i++) {
      expect((await post('/v1/workflows', { workflowType: 'order', workflowId: `d${i}`, input: 'd' })).status).toBe(201);
      expect((await post(`/v1/workflows/d${i}/signals/approved`, { input: 'C' })).status).toBe(200);
      expect(await result(`d${i}`)).toBe('ABC');
    }
    await until(() => server.output.includes('traces could not be exported'));
    expect(await server.stop('SIGTERM')).toBe(0);
    expect(server.output.split('traces could not be exported')).toHaveLength(2);
  });

  it('are off without an endpoint, and a sender’s trace is still carried', async () => {
    await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    startWorker();
    await post('/v1/workflows', { workflowType: 'order', workflowId: 'o5', input: 'o5' }, { traceparent: STRANGER });
    await post('/v1/workflows/o5/signals/approved', { input: 'C' });
    expect(await result('o5')).toBe('ABC');
    await server.stop('SIGTERM');
    await provider.forceFlush();
    expect(new Set(receiver.spans.map(({ service, traceId }) => `${service} ${traceId}`))).toEqual(new Set([`carrier ${STRANGER.slice(3, 35)}`]));
  });
});
