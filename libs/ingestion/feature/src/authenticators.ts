import type { IncomingHttpHeaders } from 'node:http';
import { PerdureError } from '@perdure/contract';
import { Authenticator, type Principal } from '@perdure/http';
import type { ApiKeys } from '@perdure/ingestion';

/** `Authorization: Bearer KEY`. A `perdure-tenant` header may repeat the tenant; it cannot choose one. */
export class ApiKeyAuthenticator extends Authenticator {
  readonly #keys: ApiKeys;

  constructor(keys: ApiKeys) {
    super();
    this.#keys = keys;
  }

  override authenticate(headers: IncomingHttpHeaders): Principal {
    const key = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
    const principal = key === undefined ? undefined : this.#keys.principalOf(key);
    if (!principal) throw new PerdureError('unauthenticated', 'Send a valid API key as "Authorization: Bearer KEY".');
    return sameTenant(principal, headers);
  }
}

/**
 * For a server without keys, which listens on loopback only: everyone on the machine is the one tenant. A page of another site is not, though its visitor's
 * browser runs here: it may send what needs no preflight, and read too if its own name resolves to this machine.
 */
export class SoleTenantAuthenticator extends Authenticator {
  readonly #principal: Principal;

  constructor(tenant: string) {
    super();
    this.#principal = { tenant };
  }

  override authenticate(headers: IncomingHttpHeaders): Principal {
    const { host, origin } = headers;
    if (host !== undefined && !isLoopback(`http://${host}`)) throw new PerdureError('forbidden', `Without API keys the server is asked as localhost, not as "${host}". ${GIVE_KEYS}`);
    if (origin !== undefined && !isLoopback(origin)) throw new PerdureError('forbidden', `Without API keys no page of "${origin}" may ask. ${GIVE_KEYS}`);
    return sameTenant(this.#principal, headers);
  }
}

const GIVE_KEYS = 'Give keys in PERDURE_CONFIG to be asked from elsewhere.';

const isLoopback = (url: string): boolean => {
  const hostname = URL.parse(url)?.hostname ?? '';
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
};

const sameTenant = (principal: Principal, headers: IncomingHttpHeaders): Principal => {
  const named = headers['perdure-tenant'];
  if (named !== undefined && named !== principal.tenant) throw new PerdureError('forbidden', `The credential is not for tenant "${String(named)}".`);
  return principal;
};
