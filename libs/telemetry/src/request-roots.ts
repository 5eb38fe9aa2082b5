import { hash } from 'node:crypto';
import type { TraceContext } from '@perdure/contract';

/** Requests that brought no trace and so began one, until it is known for which run they were; here, or in another process. */
export abstract class RequestRoots {
  /**
   * What `from` has sent is a run's, whose trace is `root`'s. Gives whether `from` is such a request: then its span is in the run's trace, under the
   * id that it has.
   */
  abstract join(from: TraceContext, root: TraceContext): boolean;
}

/** Derived from its trace's id, so that every process can tell by the two whether a request of ours began the trace. */
export const rootSpanIdOf = (traceId: string): string => hash('sha1', `root\u0000${traceId}`, 'hex').slice(0, 16);

export const isOwnRoot = ({ traceId, spanId }: TraceContext): boolean => spanId === rootSpanIdOf(traceId);
