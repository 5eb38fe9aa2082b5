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

/** For a server without keys, which listens on loopback only: everyone is the one tenant. */
export class SoleTenantAuthenticator extends Authenticator {
  readonly #principal: Principal;

  constructor(tenant: string) {
    super();
    this.#principal = { tenant };
  }

  override authenticate(headers: IncomingHttpHeaders): Principal {
    return sameTenant(this.#principal, headers);
  }
}

const sameTenant = (principal: Principal, headers: IncomingHttpHeaders): Principal => {
  const named = headers['perdure-tenant'];
  if (named !== undefined && named !== principal.tenant) throw new PerdureError('forbidden', `The credential is not for tenant "${String(named)}".`);
  return principal;
};
