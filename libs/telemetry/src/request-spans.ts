import { SpanKind } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_HTTP_REQUEST_METHOD, ATTR_HTTP_RESPONSE_STATUS_CODE, ATTR_HTTP_ROUTE, ATTR_URL_PATH, ATTR_URL_SCHEME } from '@opentelemetry/semantic-conventions';
import type { CancelTimer, Clock } from '@perdure/clock';
import { parseTraceparent, type TraceContext } from '@perdure/contract';
import { RequestRoots } from './request-roots.js';
import type { SpanWriter } from './span-writer.js';

/** Held to their own, these would drown the traces of runs: polls, heartbeats, probes and what nodes say to each other come all the time. */
const UNTRACED = ['/v1/tasks/', '/internal/', '/healthz', '/readyz', '/metrics', '/openapi.json'];

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

/** Such a request may have brought a run an input. */
const mayBeOfRun = ({ route }: ArrivedRequest, { status }: AnsweredRequest): boolean => route.startsWith('/v1/workflows') && (status < 400 || status === 409 || status >= 499);

/** Answered requests whose run is awaited; beyond it the oldest stay in the traces that they began. */
const KEPT_MAX = 10_000;

/** A request's span while it is open. */
export class RequestSpan {
  readonly arrived: ArrivedRequest;
  parent: TraceContext | undefined;
  context: TraceContext;
  /** It began its trace by itself, and which run it was for is not known. */
  isUnsettled: boolean;

  constructor(arrived: ArrivedRequest, { parent, context }: { readonly parent: TraceContext | undefined; readonly context: TraceContext }) {
    this.arrived = arrived;
    this.parent = parent;
    this.context = context;
    this.isUnsettled = parent === undefined;
  }

  get name(): string {
    return nameOf(this.arrived);
  }

  /** The request turned out to be for a run that has a trace: its span belongs there. It may be the one that the trace began with. */
  join(root: TraceContext): void {
    this.isUnsettled = false;
    if (this.context.traceId === root.traceId) return;
    this.parent = root;
    this.context = { traceId: root.traceId, spanId: this.context.spanId, sampled: root.sampled };
  }
}

const nameOf = ({ method, route }: ArrivedRequest): string => `${method} ${route}`;

export interface RequestSpansOptions {
  readonly writer: SpanWriter;
  readonly clock: Clock;
  /** For so long after its answer a span is kept until it is known which run it was for, milliseconds. Default 0: it is known before the answer. */
  readonly patienceMs?: number;
}

interface Kept {
  readonly span: RequestSpan;
  readonly answered: AnsweredRequest;
  readonly cancel: CancelTimer;
}

/** Server spans, by the HTTP conventions. As many are open as requests are. */
export class RequestSpans extends RequestRoots {
  readonly #writer: SpanWriter;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  /** Open ones that began a trace, by span id: they may yet join their run's. */
  readonly #roots = new Map<string, RequestSpan>();
  /** Such as are answered, in their order. */
  readonly #kept = new Map<string, Kept>();

  constructor({ writer, clock, patienceMs = 0 }: RequestSpansOptions) {
    super();
    this.#writer = writer;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  open(arrived: ArrivedRequest): RequestSpan | undefined {
    if (UNTRACED.some((prefix) => arrived.route.startsWith(prefix))) return undefined;
    const parent = parseTraceparent(arrived.sent);
    if (!parent && !isRoot(arrived.method, arrived.route)) return undefined;
    const span = new RequestSpan(arrived, { parent, context: this.#writer.begin(parent, { name: nameOf(arrived), kind: SpanKind.SERVER }) });
    if (!parent) this.#roots.set(span.context.spanId, span);
    return span;
  }

  override join(from: TraceContext, root: TraceContext): boolean {
    const kept = this.#kept.get(from.spanId);
    const span = kept?.span ?? this.#roots.get(from.spanId);
    if (!span) return false;
    span.join(root);
    if (kept) this.#release(kept);
    return true;
  }

  close(span: RequestSpan, answered: AnsweredRequest): void {
    const { spanId } = span.context;
    this.#roots.delete(spanId);
    if (this.#patienceMs === 0 || !span.isUnsettled || !mayBeOfRun(span.arrived, answered)) return this.#write(span, answered);
    const kept: Kept = { span, answered, cancel: this.#clock.at(this.#clock.now() + this.#patienceMs, () => this.#release(kept)) };
    this.#kept.set(spanId, kept);
    const [oldest] = this.#kept.values();
    if (this.#kept.size > KEPT_MAX && oldest) this.#release(oldest);
  }

  /** Nothing more will be heard of runs. */
  stop(): void {
    for (const kept of this.#kept.values()) this.#release(kept);
  }

  #release({ span, answered, cancel }: Kept): void {
    cancel();
    this.#kept.delete(span.context.spanId);
    this.#write(span, answered);
  }

  #write(span: RequestSpan, { status, path, startMs, endMs, tenant, workflowId }: AnsweredRequest): void {
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
