import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { PerdureError } from '@perdure/contract';
import { CALLER_HEADER, serviceCallerOf } from '@perdure/dapr';
import { Authenticator, type Principal } from '@perdure/http';
import { TOKEN_HEADER } from './node-calls.js';

const INTERNAL = '/internal/';
/** Whoever shows the token is of the mesh, and of no tenant. */
const MESH: Principal = { tenant: '' };

/**
 * The mesh's own routes want its token; the others, if there are any, are the public's. A sidecar shows its app the token with whatever it brings, so what has come through sidecars must be
 * from a service of the mesh besides: ingestion's takes calls of every app.
 */
export class NodeAuthenticator extends Authenticator {
  readonly #token: Buffer;
  readonly #others: Authenticator | undefined;

  constructor(token: string, others?: Authenticator) {
    super();
    this.#token = Buffer.from(token);
    this.#others = others;
  }

  override authenticate(headers: IncomingHttpHeaders, url: string): Principal {
    if (!url.startsWith(INTERNAL) && this.#others) return this.#others.authenticate(headers, url);
    const shown = Buffer.from(String(headers[TOKEN_HEADER] ?? ''));
    if (shown.length !== this.#token.length || !timingSafeEqual(shown, this.#token)) throw new PerdureError('unauthenticated', 'This is for the mesh itself.');
    if (headers[CALLER_HEADER] !== undefined && !serviceCallerOf(headers)) throw new PerdureError('forbidden', 'This is for the mesh itself.');
    return MESH;
  }
}
