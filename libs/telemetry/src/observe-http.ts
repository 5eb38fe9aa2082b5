import type { Clock } from '@perdure/clock';
import { sentTraceOf, traceOf, type SocketCall } from '@perdure/http';
import { toTraceparent } from '@perdure/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { RequestSpan, RequestSpans } from './request-spans.js';
import type { ServerMetrics } from './server-metrics.js';

export interface HttpObserver {
  readonly metrics: ServerMetrics;
  /** Absent: traces are off. */
  readonly spans?: RequestSpans;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A request that takes longer is logged, milliseconds. */
  readonly slowMs: number;
  /** Routes that begin so have no lines: they are between nodes, and whoever asked tells what became of it. */
  readonly unlogged?: string;
}

/** What no route took. Its path is anybody's guess, and would be a label without bound (I9). */
const NO_ROUTE = 'none';
/** The client left before the answer; the code is nginx's. */
const CLIENT_LEFT = 499;

/** Held open on purpose: they are no slower than asked for. */
const HELD = new Set(['/v1/tasks/poll', '/v1/workflows/:workflowId/result', '/v1/workflows/:workflowId/updates/:name']);

/** Each request is measured, logged when it fails or is slow, and a span where it belongs to a trace. Must come before all other hooks. */
export const observeHttp = (instance: FastifyInstance, observer: HttpObserver): void => {
  const { metrics, spans } = observer;
  instance.decorateRequest('trace', undefined);
  instance.addHook('onRequest', (request, reply, done) => {
    const startedMs = performance.now();
    const route = request.routeOptions.url ?? NO_ROUTE;
    const span = spans?.open({ method: request.method, route, sent: sentTraceOf(request) });
    if (span) request.trace = toTraceparent(span.context);
    metrics.active += 1;
    // Comes once, whether it was answered or its client left.
    reply.raw.once('close', () => {
      metrics.active -= 1;
      ended(observer, { request, reply, route, span, startedMs });
    });
    done();
  });
};

interface Ended {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly route: string;
  readonly span: RequestSpan | undefined;
  readonly startedMs: number;
}

const ended = ({ metrics, spans, logger, clock, slowMs, unlogged }: HttpObserver, { request, reply, route, span, startedMs }: Ended): void => {
  const { method } = request;
  const tookMs = performance.now() - startedMs;
  const status = reply.raw.writableFinished ? reply.raw.statusCode : CLIENT_LEFT;
  metrics.answered({ method, route, status }, tookMs);
  if (span && spans) {
    const { workflowId } = (request.params ?? {}) as { readonly workflowId?: string };
    const endMs = clock.now();
    spans.close(span, { status, path: pathOf(request), startMs: endMs - tookMs, endMs, tenant: request.principal?.tenant, workflowId });
    request.trace = toTraceparent(span.context);
  }
  if (unlogged !== undefined && route.startsWith(unlogged)) return;
  const isSlow = tookMs > slowMs && !isHeld(request, route);
  if (status === CLIENT_LEFT || (status < 400 && !isSlow)) return;
  const fields = { ...requestFields(request), route, status, ...(request.refusal ? { code: request.refusal } : {}), durationMs: Math.round(tookMs) };
  if (status >= 500) logger.warn(fields, 'a request failed');
  else if (status >= 400) logger.info(fields, 'a request was refused');
  else logger.warn(fields, 'a request was slow');
};

/** What came over a worker's socket is counted, and logged when it was refused or failed, as a request is. */
export const observeSocketCall = ({ metrics, logger }: Pick<HttpObserver, 'metrics' | 'logger'>, { path, tenant, call, status, error }: SocketCall): void => {
  metrics.called(call, status);
  if (!error) return;
  const fields = { path, call, tenant, status, code: error.code };
  if (status >= 500) logger.warn(fields, 'a call failed');
  else logger.info(fields, 'a call was refused');
};

const isHeld = (request: FastifyRequest, route: string): boolean => HELD.has(route) || String(request.headers['prefer'] ?? '').includes('wait=');

const pathOf = ({ url }: FastifyRequest): string => {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
};

/** For a line of the log about a request: who, which run, and where in which trace. */
export const requestFields = (request: FastifyRequest): Readonly<Record<string, unknown>> => {
  const { workflowId } = (request.params ?? {}) as { readonly workflowId?: string };
  const named = { ...(request.query as object), ...(isRecord(request.body) ? request.body : {}) } as { readonly workflowId?: unknown; readonly runId?: unknown };
  const trace = traceOf(request);
  return {
    method: request.method,
    path: pathOf(request),
    ...(request.principal ? { tenant: request.principal.tenant } : {}),
    ...idField('workflowId', workflowId ?? named.workflowId),
    ...idField('runId', named.runId),
    ...(trace === undefined ? {} : { trace_id: trace.slice(3, 35), span_id: trace.slice(36, 52) }),
  };
};

const idField = (name: string, value: unknown): Readonly<Record<string, string>> => (typeof value === 'string' ? { [name]: value } : {});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
