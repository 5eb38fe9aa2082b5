import type { Clock } from '@perdure/clock';
import { BundleSource, type BundleCode } from '@perdure/history';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';
import { BundleDefaults } from './bundle-defaults.js';
import { BUNDLE_LIMITS } from './bundle-limits.js';
import { Kept } from './kept.js';
import { Remembered } from './remembered.js';

const CODE: Statement = { name: 'view_bundle_code', text: 'select code, workflows from bundles where tenant = $1 and hash = $2' };
const IS_THERE: Statement = { name: 'view_bundle_is_there', text: 'select 1 as there from bundles where tenant = $1 and hash = $2' };
const SOURCE_MAP: Statement = { name: 'view_source_map', text: 'select source_map from bundles where tenant = $1 and hash = $2' };

export interface CockroachBundleSourceOptions {
  readonly clock: Clock;
  /** Of code that is kept. */
  readonly codeBytesMax?: number;
}

/**
 * The deployed bundles as a shard sees them. Code is named by its hash and so is kept; whether it is still deployed, and which bundle is
 * a default, other processes may change: what is known of that is at most a second old. Who starts a run on a bundle that was retired
 * within that second is refused by the commit (`rows/bundle-guard.ts`).
 */
export class CockroachBundleSource extends BundleSource {
  readonly #pool: CockroachPool;
  readonly #code: Kept<BundleCode>;
  readonly #isThere: Remembered<true>;
  readonly #defaults: BundleDefaults;

  constructor(pool: CockroachPool, { clock, codeBytesMax = BUNDLE_LIMITS.codeBytesMax }: CockroachBundleSourceOptions) {
    super();
    this.#pool = pool;
    this.#code = new Kept(codeBytesMax);
    this.#isThere = new Remembered({ clock, forMs: BUNDLE_LIMITS.knownForMs, countMax: BUNDLE_LIMITS.knownMax });
    this.#defaults = new BundleDefaults(pool, clock);
  }

  override async find(tenant: string, hash: string): Promise<BundleCode | undefined> {
    const key = `${tenant}\u0000${hash}`;
    const known = this.#code.get(key);
    if (!known) return this.#read(tenant, hash);
    if (await this.#isThere.get(key, async () => ((await this.#pool.read(IS_THERE, [tenant, hash])).length > 0 ? true : undefined))) return known;
    this.#code.delete(key);
    return undefined;
  }

  override defaultFor(tenant: string, workflowType: string): Promise<string | undefined> {
    return this.#defaults.find(tenant, workflowType);
  }

  /** Not kept: it may be larger than the code, and only errors ask for it. */
  async sourceMap(tenant: string, hash: string): Promise<string | undefined> {
    const [row] = await this.#pool.read(SOURCE_MAP, [tenant, hash]);
    return (row?.source_map as string | null | undefined) ?? undefined;
  }

  async #read(tenant: string, hash: string): Promise<BundleCode | undefined> {
    const [row] = await this.#pool.read(CODE, [tenant, hash]);
    if (!row) return undefined;
    const bundle = { hash, code: row.code as string, workflows: JSON.parse(row.workflows as string) as string[] };
    this.#code.set(`${tenant}\u0000${hash}`, bundle, Buffer.byteLength(bundle.code));
    return bundle;
  }
}
