import { SpanKind, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { parseTraceparent, type RunKey } from '@perdure/contract';
import type { AttemptSpan, InputSpan, JoinedTrace, SpanReport } from '@perdure/hosting';
import type { RequestRoots } from './request-roots.js';
import type { SpanWriter } from './span-writer.js';

/**
 * Spans of what shards report.
 *
 * 1. All of a run's spans are of one trace, that of its start, whatever trace brought the input; another sender's is a link.
 * 2. Inputs hang below the run's root and attempts below the input that asked for them, so that a long run is a wide trace, not a deep one.
 * 3. A request that brought no trace of its own joins the run's, and its input hangs below it.
 */
export class ShardSpans {
  readonly #writer: SpanWriter;
  readonly #requests: RequestRoots;

  constructor(writer: SpanWriter, requests: RequestRoots) {
    this.#writer = writer;
    this.#requests = requests;
  }

  /** Where requests are of this process and are not kept until then, it must come before the one that waits for the commit is answered. */
  record({ spans, ...commit }: SpanReport): void {
    for (const span of spans) {
      if (span.kind === 'input') this.#input(span, commit);
      else if (span.kind === 'attempt') this.#attempt(span);
      else this.#joined(span);
    }
  }

  #input(span: InputSpan, { commitMs, committedMs }: Omit<SpanReport, 'spans'>): void {
    const root = parseTraceparent(span.trace);
    if (!root) return;
    const from = parseTraceparent(span.sender);
    // An event may be for many runs, so its request keeps its trace.
    const isJoined = from !== undefined && span.isRequest && this.#requests.join(from, root);
    const sender = span.sender === span.trace ? undefined : from;
    const isBelowSender = sender !== undefined && (isJoined || (span.isRequest && sender.traceId === root.traceId));
    const { traceId, sampled } = root;
    this.#writer.write({
      context: { traceId, spanId: span.spanId, sampled },
      parent: isBelowSender ? { ...sender, traceId, sampled } : root,
      ...(sender?.sampled && sender.traceId !== traceId && !isJoined ? { links: [sender] } : {}),
      name: `input ${span.input}`,
      kind: SpanKind.INTERNAL,
      startMs: span.startMs,
      endMs: committedMs,
      events: [{ name: 'process', atMs: span.processMs }, { name: 'processed', atMs: span.processedMs }, { name: 'commit', atMs: commitMs }],
      attributes: { ...runAttributes(span.run, span.workflowType), 'perdure.input.kind': span.input, 'perdure.input.id': span.inputId, ...(span.closed ? { 'perdure.run.status': span.closed } : {}) },
    });
  }

  #attempt(span: AttemptSpan): void {
    const parent = parseTraceparent(span.parent);
    if (!parent) return;
    const { run, workflowType, seq, role, name, queue, idempotencyKey, attempt, how, error, isAdopted, startMs, endMs } = span;
    this.#writer.write({
      context: { traceId: parent.traceId, spanId: span.spanId, sampled: parent.sampled },
      parent,
      name: `dispatch ${name}`,
      kind: SpanKind.PRODUCER,
      startMs,
      endMs,
      attributes: {
        'messaging.system': 'perdure',
        'messaging.operation.type': 'send',
        'messaging.operation.name': 'dispatch',
        'messaging.destination.name': queue,
        'messaging.message.id': idempotencyKey,
        ...runAttributes(run, workflowType),
        'perdure.activity.name': name,
        'perdure.activity.seq': seq,
        'perdure.activity.role': role,
        'perdure.activity.attempt': attempt,
        'perdure.activity.outcome': how,
        ...(isAdopted ? { 'perdure.activity.adopted': true } : {}),
        ...(how === 'completed' ? {} : { [ATTR_ERROR_TYPE]: error?.type ?? how }),
      },
      ...(how === 'completed' ? {} : { error: error?.message ?? how }),
    });
  }

  #joined({ trace, sender }: JoinedTrace): void {
    const [root, from] = [parseTraceparent(trace), parseTraceparent(sender)];
    if (root && from) this.#requests.join(from, root);
  }
}

const runAttributes = ({ tenant, workflowId, runId }: RunKey, workflowType: string): Attributes => ({
  'perdure.tenant': tenant,
  'perdure.workflow.id': workflowId,
  'perdure.workflow.type': workflowType,
  'perdure.run.id': runId,
});
