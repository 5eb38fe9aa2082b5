import type { Clock } from '@perdure/clock';
import { PerdureError, RUN_STATUSES, type BundleView } from '@perdure/contract';
import { assertRetirable, BUNDLE_RETIRE_AFTER_MS, BundleRegistry, toBundleView, type InspectCode, type NewBundle, type StoredBundle } from '@perdure/ingestion';
import { texts } from '../pool/arrays.js';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Row, Statement } from '../pool/statement.js';
import { BundleDefaults } from './bundle-defaults.js';
import type { CockroachRunReader } from './run-reader.js';

/** The row is written even where it is there, so that a retirement that is under way is in the way of it. */
const PUT: Statement = {
  name: 'put_bundle',
  text: `insert into bundles (tenant, hash, name, code, source_map, workflows, bytes, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (tenant, hash) do update set created_at = bundles.created_at`,
};
const PUT_DEFAULTS: Statement = {
  name: 'put_bundle_defaults',
  text: 'insert into bundle_defaults (tenant, type, hash) select $1, type, $2 from unnest($3::text[]) as deployed (type) on conflict (tenant, type) do update set hash = excluded.hash',
};

const COLUMNS = `hash, name, workflows, bytes, created_at,
  (select array_agg(type order by type) from bundle_defaults where bundle_defaults.tenant = bundles.tenant and bundle_defaults.hash = bundles.hash) as default_for`;
const LIST: Statement = { name: 'view_bundles', text: `select ${COLUMNS} from bundles where tenant = $1 order by created_at desc, hash` };
const FIND: Statement = { name: 'view_bundle', text: `select ${COLUMNS} from bundles where tenant = $1 and hash = $2` };

/**
 * Only if it may go as this statement finds it (ingestion's `whyKept`): no default, no open run, none that started since `$3`. What it
 * reads and what a start reads (`rows/bundle-guard.ts`) cannot both have been so: one of the two transactions fails and is tried anew.
 */
const RETIRE: Statement = {
  name: 'retire_bundle',
  text: `delete from bundles where tenant = $1 and hash = $2
    and not exists (select 1 from bundle_defaults where bundle_defaults.tenant = $1 and bundle_defaults.hash = $2)
    and not exists (
      select 1 from slices join runs on runs.slice = slices.slice and runs.tenant = $1 and runs.bundle = $2 and runs.status in ('running', 'suspended')
      where slices.slice >= 'history/' and slices.slice < 'history0'
    )
    and not exists (
      select 1 from slices cross join unnest($4::text[]) as each (status)
      join runs on runs.slice = slices.slice and runs.tenant = $1 and runs.bundle = $2 and runs.status = each.status and runs.started_at > $3
      where slices.slice >= 'history/' and slices.slice < 'history0'
    )
    returning hash`,
};

export interface CockroachBundlesOptions {
  readonly inspect: InspectCode;
  readonly clock: Clock;
  readonly reader: Pick<CockroachRunReader, 'bundleUse'>;
}

/** The deployed bundles, which every process of the mesh may change. */
export class CockroachBundles extends BundleRegistry {
  readonly #pool: CockroachPool;
  readonly #options: CockroachBundlesOptions;
  readonly #defaults: BundleDefaults;

  constructor(pool: CockroachPool, options: CockroachBundlesOptions) {
    super();
    this.#pool = pool;
    this.#options = options;
    this.#defaults = new BundleDefaults(pool, options.clock);
  }

  override async deploy(tenant: string, { name, code, sourceMap }: NewBundle): Promise<BundleView> {
    assertKept({ name, code, sourceMap });
    const { inspect, clock } = this.#options;
    const { hash, workflows } = await inspect(code);
    await this.#pool.transaction([
      { statement: PUT, values: [tenant, hash, name, code, sourceMap ?? null, JSON.stringify(workflows), Buffer.byteLength(code), clock.now()] },
      { statement: PUT_DEFAULTS, values: [tenant, hash, texts(workflows)] },
    ]);
    this.#defaults.forget();
    return (await this.find(tenant, hash))!;
  }

  /** The newest first. */
  override async list(tenant: string): Promise<readonly BundleView[]> {
    const [rows, used] = await Promise.all([this.#pool.read(LIST, [tenant]), this.#options.reader.bundleUse(tenant)]);
    const runs = new Map(used.map((each) => [each.bundle, each]));
    const nowMs = this.#options.clock.now();
    return rows.map(toStored).map((bundle) => toBundleView(bundle, { tenant, runs: runs.get(bundle.hash), nowMs }));
  }

  override async find(tenant: string, hash: string): Promise<BundleView | undefined> {
    const [[row], [runs]] = await Promise.all([this.#pool.read(FIND, [tenant, hash]), this.#options.reader.bundleUse(tenant, hash)]);
    return row && toBundleView(toStored(row), { tenant, runs, nowMs: this.#options.clock.now() });
  }

  override defaultFor(tenant: string, workflowType: string): Promise<string | undefined> {
    return this.#defaults.find(tenant, workflowType);
  }

  override async retire(tenant: string, hash: string): Promise<void> {
    assertRetirable(hash, await this.find(tenant, hash));
    const retired = await this.#pool.write(RETIRE, [tenant, hash, this.#options.clock.now() - BUNDLE_RETIRE_AFTER_MS, texts(RUN_STATUSES)]);
    this.#defaults.forget();
    if (retired.length > 0) return;
    // It has become a default or has got a run meanwhile, or somebody else has retired it.
    assertRetirable(hash, await this.find(tenant, hash));
    throw new PerdureError('bundle-in-use', 'The bundle was used a moment ago: try again.', { retryable: true });
  }
}

const toStored = ({ hash, name, workflows, bytes, created_at, default_for }: Row): StoredBundle => ({
  hash: hash as string, name: name as string, workflows: JSON.parse(workflows as string) as string[], bytes: bytes as number, createdAt: created_at as number, defaultFor: (default_for as string[] | null) ?? [],
});

/** @throws PerdureError `bundle-invalid` for what no text column gives back as it was */
function assertKept(texts: Readonly<Record<string, string | undefined>>): void {
  for (const [what, text] of Object.entries(texts)) {
    if (text?.includes('\u0000') || text?.isWellFormed() === false) throw new PerdureError('bundle-invalid', `The bundle's ${what} holds a zero character or half a surrogate pair.`);
  }
}
