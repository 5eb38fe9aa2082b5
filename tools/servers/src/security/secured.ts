import type { Certified } from './certificate-authority.js';

/** A server by TLS alone, for who knows the password. */
export interface Secured {
  /** Its own, for 127.0.0.1. */
  readonly certificate: Certified;
  /** The path of the certificate of who has signed it. */
  readonly authority: string;
  readonly password: string;
}
