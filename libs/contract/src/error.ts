/** Every code an API answer can carry, with its HTTP status and title. Codes are stable: clients may switch on them. */
export const PROBLEMS = {
  'malformed-json': [400, 'The body is not JSON'],
  'invalid-request': [400, 'The request does not fit the API'],
  'invalid-id': [400, 'An id is empty, too long or holds control characters'],
  'invalid-duration': [400, 'A duration is negative or absurd'],
  'unauthenticated': [401, 'No valid credential'],
  'invalid-signature': [401, 'The signature is wrong, missing or stale'],
  'forbidden': [403, 'Not allowed for this credential'],
  'unknown-route': [404, 'No such resource'],
  'unknown-workflow': [404, 'No bundle has this workflow'],
  'unknown-run': [404, 'No such run'],
  'unknown-signal': [404, 'The workflow has no such signal'],
  'unknown-query': [404, 'The workflow has no such query'],
  'unknown-update': [404, 'The workflow has no such update'],
  'unknown-activity': [404, 'No such activity'],
  'unknown-bundle': [404, 'No such bundle'],
  'unknown-source': [404, 'No such webhook source'],
  'unknown-event-type': [404, 'No such event type'],
  'unknown-task': [404, 'No such task'],
  'method-not-allowed': [405, 'The resource does not take this method'],
  'workflow-exists': [409, 'A run with this id exists with another type or input'],
  'input-id-reused': [409, 'The id was used for another input'],
  'run-closed': [409, 'The run has closed'],
  'run-suspended': [409, 'The run is suspended'],
  'run-not-suspended': [409, 'The run is not suspended'],
  'replay-differs': [409, 'The history does not replay on that bundle'],
  'update-refused': [409, 'The update was refused by its validator'],
  'query-failed': [422, 'The query handler threw'],
  'bundle-invalid': [422, 'The bundle does not compile or evaluate'],
  'bundle-in-use': [409, 'The bundle cannot be retired yet'],
  'request-timeout': [408, 'The request did not arrive in time'],
  'payload-too-large': [413, 'The payload is over its limit'],
  'unsupported-media-type': [415, 'The content type is not supported'],
  'header-too-large': [431, 'The URL or the headers are too long'],
  'limit-exceeded': [422, 'A named limit was passed'],
  'rate-limited': [429, 'Too many requests'],
  'not-owner': [503, 'The shard has moved; try again'],
  'overloaded': [503, 'The server is at its limit; try again'],
  'unavailable': [503, 'The store cannot take the request now; try again'],
  'draining': [503, 'The server is shutting down; try again'],
  'internal': [500, 'An error inside Perdure'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface PerdureErrorOptions {
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Machine-readable particulars, as in RFC 9457 extension members. */
  readonly errors?: unknown;
}

/** The one base of Perdure's own errors. Tell them by `code`, not by class: they cross realms and processes. */
export class PerdureError extends Error {
  override readonly name: string = 'PerdureError';
  readonly code: ProblemCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  declare readonly errors?: unknown;

  constructor(code: ProblemCode, message: string, options: PerdureErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? PROBLEMS[code][0] === 503;
    if (options.errors !== undefined) this.errors = options.errors;
  }
}

export const isPerdureError = (error: unknown): error is PerdureError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && Object.hasOwn(PROBLEMS, error.code);

/** For a boundary: whatever was thrown, as one of ours. */
export const toPerdureError = (thrown: unknown): PerdureError =>
  isPerdureError(thrown) ? thrown : new PerdureError('internal', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
