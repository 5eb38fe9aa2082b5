import { isTraceparent } from '@perdure/contract';
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Traceparent of the request's own span, where the server makes one. */
    trace?: string | undefined;
  }
}

/** What follows from a request hangs below its own span, or else below its sender's. */
export const traceOf = (request: FastifyRequest): string | undefined => request.trace ?? sentTraceOf(request);

/** The sender's, if it is well formed. */
export const sentTraceOf = ({ headers }: FastifyRequest): string | undefined => {
  const { traceparent } = headers;
  return typeof traceparent === 'string' && isTraceparent(traceparent) ? traceparent : undefined;
};
