import type { IncomingHttpHeaders } from 'node:http';

/** Who asks. The tenant comes from the credential alone (design §5). */
export interface Principal {
  readonly tenant: string;
}

export abstract class Authenticator {
  /** @throws PerdureError `unauthenticated` or `forbidden` */
  abstract authenticate(headers: IncomingHttpHeaders, url: string): Principal;
}
