import { createHash, timingSafeEqual } from 'node:crypto';
import type { Principal } from './principal.js';

export interface ApiKeyHash {
  readonly tenant: string;
  /** SHA-256 of the key, hex. The key itself is kept nowhere. */
  readonly sha256: string;
}

/** API keys are long and random, so a fast hash is enough; what is compared is compared in constant time, with every stored hash. */
export class ApiKeys {
  readonly #keys: readonly { readonly tenant: string; readonly digest: Buffer }[];

  constructor(hashes: readonly ApiKeyHash[]) {
    this.#keys = hashes.map(({ tenant, sha256 }) => ({ tenant, digest: Buffer.from(sha256, 'hex') }));
  }

  principalOf(key: string): Principal | undefined {
    const digest = createHash('sha256').update(key).digest();
    let found: Principal | undefined;
    for (const each of this.#keys) {
      if (timingSafeEqual(each.digest, digest)) found = { tenant: each.tenant };
    }
    return found;
  }
}
