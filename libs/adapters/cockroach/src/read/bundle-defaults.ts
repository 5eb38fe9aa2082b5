import type { Clock } from '@perdure/clock';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';
import { BUNDLE_LIMITS } from './bundle-limits.js';
import { Remembered } from './remembered.js';

const DEFAULT: Statement = { name: 'view_bundle_default', text: 'select hash from bundle_defaults where tenant = $1 and type = $2' };

/** Which bundle new runs of a type take: looked up with each start, asked for once a second. */
export class BundleDefaults {
  readonly #pool: CockroachPool;
  readonly #known: Remembered<string>;

  constructor(pool: CockroachPool, clock: Clock) {
    this.#pool = pool;
    this.#known = new Remembered({ clock, forMs: BUNDLE_LIMITS.knownForMs, countMax: BUNDLE_LIMITS.knownMax });
  }

  find(tenant: string, workflowType: string): Promise<string | undefined> {
    return this.#known.get(`${tenant}\u0000${workflowType}`, async () => (await this.#pool.read(DEFAULT, [tenant, workflowType]))[0]?.hash as string | undefined);
  }

  /** This process has changed some. */
  forget(): void {
    this.#known.clear();
  }
}
