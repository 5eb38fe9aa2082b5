import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import fastify, { type FastifyInstance } from 'fastify';
import { pino, type Logger } from 'pino';
import { observeHttp, observeSocketCall } from './observe-http.js';
import { ServerMetrics } from './server-metrics.js';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('observeHttp', () => {
  let server: FastifyInstance;
  let metrics: ServerMetrics;
  let lines: Record<string, unknown>[];
  let release: () => void;
  let url: string;
  let logger: Logger;

  beforeEach(async () => {
    metrics = new ServerMetrics();
    lines = [];
    const held = new Promise<void>((resolve) => (release = resolve));
    logger = pino({ base: undefined }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
    server = fastify();
    observeHttp(server, { metrics, clock: new ManualClock(), slowMs: 20, unlogged: '/internal/', logger });
    // A clock of the server's own decides what is slow, so it is made to pass.
    const spin = (): void => {
      for (const until = performance.now() + 30; performance.now() < until; );
    };
    server.get('/v1/workflows/:workflowId', async () => spin());
    server.get('/v1/workflows/:workflowId/result', async () => spin());
    server.post('/v1/tasks/poll', () => held);
    server.post('/internal/deliveries', async (_, reply) => reply.status(503).send());
    server.post('/v1/workflows', async (_, reply) => reply.status(503).send());
    url = await server.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    release();
    await server.close();
  });

  /** Until the server, too, is done with it. */
  const send = async (path: string, init: RequestInit = {}): Promise<void> => {
    await fetch(`${url}${path}`, init);
    while (metrics.active > 0) await setImmediate();
  };

  const countOf = async (route: string): Promise<string[]> => (await metrics.registry.metrics()).split('\n').filter((line) => line.includes('_seconds_count') && line.includes(`http_route="${route}"`));

  it('logs what is slow, with its run and trace', async () => {
    await send('/v1/workflows/w1?runId=r1', { headers: { traceparent: TRACE } });
    expect(lines).toEqual([expect.objectContaining({ msg: 'a request was slow', level: 40, method: 'GET', path: '/v1/workflows/w1', route: '/v1/workflows/:workflowId', workflowId: 'w1', runId: 'r1', status: 200, trace_id: TRACE.slice(3, 35), span_id: TRACE.slice(36, 52) })]);
    expect(lines[0]!['durationMs']).toBeGreaterThanOrEqual(30);
  });

  it('does not take for slow what is held open on purpose', async () => {
    await send('/v1/workflows/w1/result');
    await send('/v1/workflows/w1', { headers: { prefer: 'wait=5' } });
    expect(lines).toEqual([]);
  });

  it('logs what failed, and the run that its body names', async () => {
    await send('/v1/workflows', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"workflowId":"w2"}' });
    expect(lines).toEqual([expect.objectContaining({ msg: 'a request failed', status: 503, workflowId: 'w2' })]);
    expect(await countOf('/v1/workflows')).toEqual([expect.stringMatching(/http_response_status_code="503"\} 1$/)]);
  });

  it('measures what goes between nodes, and leaves the log to those who asked', async () => {
    await send('/internal/deliveries', { method: 'POST' });
    expect(await countOf('/internal/deliveries')).toEqual([expect.stringMatching(/http_response_status_code="503"\} 1$/)]);
    expect(lines).toEqual([]);
  });

  it('counts what comes over a socket, and logs why it was refused', async () => {
    const call = { path: '/v1/tasks/socket', tenant: 'demo', call: 'poll' };
    observeSocketCall({ metrics, logger }, { ...call, status: 200 });
    observeSocketCall({ metrics, logger }, { ...call, status: 400, error: new PerdureError('invalid-request', 'No.') });
    const counted = (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('perdure_worker_calls_total{'));
    expect(counted).toEqual(['perdure_worker_calls_total{call="poll",http_response_status_code="200"} 1', 'perdure_worker_calls_total{call="poll",http_response_status_code="400"} 1']);
    expect(lines).toEqual([expect.objectContaining({ msg: 'a call was refused', ...call, status: 400, code: 'invalid-request' })]);
  });

  it('counts a client that left as that, and as no longer there', async () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /v1/tasks/poll HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n');
    while (metrics.active === 0) await setImmediate();
    socket.destroy();
    await once(socket, 'close');
    while (metrics.active > 0) await setImmediate();
    expect(await countOf('/v1/tasks/poll')).toEqual([expect.stringMatching(/http_response_status_code="499"\} 1$/)]);
    expect(lines).toEqual([]);
  });
});
