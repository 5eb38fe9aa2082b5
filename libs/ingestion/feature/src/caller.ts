import { abortWait, traceOf } from '@perdure/http';
import type { Caller } from '@perdure/ingestion';
import { PerdureError } from '@perdure/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** RFC 7240 preferences that the API knows. */
interface Preferences {
  readonly respondAsync: boolean;
  readonly waitS: number;
}

export const preferencesOf = (request: FastifyRequest): Preferences => {
  const header = [request.headers['prefer'] ?? []].flat().join(',');
  const wait = /(?:^|[,;\s])wait=(\d+)/.exec(header)?.[1];
  return { respondAsync: /(?:^|[,;\s])respond-async(?:$|[,;\s])/.test(header), waitS: wait ? Math.min(Number(wait), 60) : 0 };
};

export const callerOf = (tenant: string, request: FastifyRequest): Caller => {
  const trace = traceOf(request);
  return { tenant, ...(trace === undefined ? {} : { trace }), respondAsync: preferencesOf(request).respondAsync };
};

/** A caller that may leave before the answer: for routes that are held open. */
export const waitingCallerOf = (tenant: string, request: FastifyRequest, reply: FastifyReply): Caller => ({ ...callerOf(tenant, request), signal: abortWait(reply) });

export const idempotencyKeyOf = (request: FastifyRequest): string | undefined => {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  // Node joins a repeated header by commas, which a key may hold as well, so the names are counted.
  const names = request.raw.rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'idempotency-key');
  if (names.length > 1) throw new PerdureError('invalid-request', 'There is more than one Idempotency-Key header.');
  return String(key);
};
