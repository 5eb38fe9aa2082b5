import { SpanKind } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_HTTP_REQUEST_METHOD, ATTR_HTTP_RESPONSE_STATUS_CODE, ATTR_HTTP_ROUTE, ATTR_URL_PATH, ATTR_URL_SCHEME } from '@opentelemetry/semantic-conventions';
import { parseTraceparent, type TraceContext } from '@perdure/contract';
import type { SpanWriter } from './span-writer.js';

/** Held to their own, these would drown the traces of runs: polls, heartbeats and probes come all the time. */
const UNTRACED = ['/v1/tasks/', '/healthz', '/readyz', '/metrics', '/openapi.json'];

/** What brings inputs begins a trace where its sender has none. What only reads joins its sender's. */
const isRoot = (method: string, route: string): boolean => method === 'POST' && !route.includes('/queries/') && !route.startsWith('/v1/bundles');

export interface ArrivedRequest {
  readonly method: string;
  readonly route: string;
  /** The sender's traceparent. */
  readonly sent?: string | undefined;
}

export interface AnsweredRequest {
  readonly status: number;
  readonly path: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly tenant?: string | undefined;
  readonly workflowId?: string | undefined;
}

/** A request's span while it is open. */
export class RequestSpan {
  readonly arrived: ArrivedRequest;
  parent: TraceContext | undefined;
  context: TraceContext;

  constructor(arrived: ArrivedRequest, { parent, context }: { readonly parent: TraceContext | undefined; readonly context: TraceContext }) {
    this.arrived = arrived;
    this.parent = parent;
    this.context = context;
  }

  get name(): string {
    return nameOf(this.arrived);
  }

  /** The request turned out to be for a run that has a trace: its span belongs there. */
  join(root: TraceContext): void {
    this.parent = root;
    this.context = { traceId: root.traceId, spanId: this.context.spanId, sampled: root.sampled };
  }
}

const nameOf = ({ method, route }: ArrivedRequest): string => `${method} ${route}`;

/** Server spans, by the HTTP conventions. As many are open as requests are. */
export class RequestSpans {
  readonly #writer: SpanWriter;
  /** Those that began a trace, by span id: they may yet join their run's. */
  readonly #roots = new Map<string, RequestSpan>();

  constructor(writer: SpanWriter) {
    this.#writer = writer;
  }

  open(arrived: ArrivedRequest): RequestSpan | undefined {
    if (UNTRACED.some((prefix) => arrived.route.startsWith(prefix))) return undefined;
    const parent = parseTraceparent(arrived.sent);
    if (!parent && !isRoot(arrived.method, arrived.route)) return undefined;
    const span = new RequestSpan(arrived, { parent, context: this.#writer.begin(parent, { name: nameOf(arrived), kind: SpanKind.SERVER }) });
    if (!parent) this.#roots.set(span.context.spanId, span);
    return span;
  }

  /** The open request that began this trace by itself. */
  rootOf({ spanId }: TraceContext): RequestSpan | undefined {
    return this.#roots.get(spanId);
  }

  close(span: RequestSpan, { status, path, startMs, endMs, tenant, workflowId }: AnsweredRequest): void {
    this.#roots.delete(span.context.spanId);
    const { method, route } = span.arrived;
    this.#writer.write({
      context: span.context,
      ...(span.parent ? { parent: span.parent } : {}),
      name: span.name,
      kind: SpanKind.SERVER,
      startMs,
      endMs,
      attributes: {
        [ATTR_HTTP_REQUEST_METHOD]: method,
        [ATTR_HTTP_ROUTE]: route,
        [ATTR_HTTP_RESPONSE_STATUS_CODE]: status,
        [ATTR_URL_PATH]: path,
        [ATTR_URL_SCHEME]: 'http',
        ...(status >= 500 ? { [ATTR_ERROR_TYPE]: String(status) } : {}),
        ...(tenant === undefined ? {} : { 'perdure.tenant': tenant }),
        ...(workflowId === undefined ? {} : { 'perdure.workflow.id': workflowId }),
      },
      ...(status >= 500 ? { error: `answered ${status}` } : {}),
    });
  }
}
