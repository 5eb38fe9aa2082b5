import { STATUS_CODES } from 'node:http';
import { isPerdureError, PerdureError, PROBLEMS, type ProblemCode } from '@perdure/contract';

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the problem that answered it. */
    refusal?: ProblemCode;
  }
}

/** The body of every error answer: RFC 9457, with Perdure's stable `code` as an extension member. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: unknown;
}

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

export const toProblem = (error: PerdureError): Problem => {
  const [status, title] = PROBLEMS[error.code];
  return { type: `urn:perdure:problem:${error.code}`, title, status, code: error.code, detail: error.message, ...(error.errors === undefined ? {} : { errors: error.errors }) };
};

/** What Fastify and Nest call their own errors, in Perdure's words. */
const FOREIGN: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-request',
  FST_ERR_BAD_URL: 'invalid-request',
  FST_ERR_MAX_PARAM_LENGTH: 'invalid-id',
};

const BY_STATUS: Readonly<Record<number, ProblemCode>> = { 400: 'invalid-request', 401: 'unauthenticated', 403: 'forbidden', 404: 'unknown-route', 405: 'method-not-allowed', 413: 'payload-too-large', 415: 'unsupported-media-type', 429: 'rate-limited', 503: 'unavailable' };

/** Whatever reached the HTTP boundary, as one of Perdure's errors. What is not known is `internal` and keeps its particulars as `cause`, for the log alone. */
export const fromThrown = (thrown: unknown): PerdureError => {
  if (isPerdureError(thrown)) return thrown;
  if (thrown instanceof SyntaxError) return new PerdureError('malformed-json', thrown.message, { cause: thrown });
  const foreign = thrown as { code?: unknown; status?: unknown; statusCode?: unknown; getStatus?: () => number } | null;
  const byCode = typeof foreign?.code === 'string' ? FOREIGN[foreign.code] : undefined;
  const status = foreign?.getStatus?.() ?? foreign?.statusCode ?? foreign?.status;
  const code = byCode ?? (typeof status === 'number' ? BY_STATUS[status] : undefined);
  if (!code) return new PerdureError('internal', 'Something failed inside the server; its log has the particulars.', { cause: thrown });
  const detail = thrown instanceof Error ? thrown.message : (STATUS_CODES[Number(status)] ?? code);
  return new PerdureError(code, detail, { cause: thrown });
};
