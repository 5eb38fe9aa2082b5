import type { Clock } from '@perdure/clock';
import type { BundleView } from '@perdure/contract';
import { assertRetirable, BundleRegistry, toBundleView, type InspectCode, type NewBundle, type StoredBundle } from '@perdure/ingestion';
import type { MetaFile } from './bundle-file.js';
import type { CommittedRuns } from './sharded-reader.js';

export interface SqliteBundlesDeps {
  readonly meta: MetaFile;
  readonly reader: Pick<CommittedRuns, 'bundleUse'>;
  readonly inspect: InspectCode;
  readonly clock: Clock;
  /** What shards have of the bundle at hand is forgotten, and what they were at is committed, when this resolves. */
  readonly forget: (tenant: string, hash: string) => Promise<void>;
}

export class SqliteBundles extends BundleRegistry {
  readonly #deps: SqliteBundlesDeps;
  /** Looked up with each start; this process alone deploys. */
  readonly #defaults = new Map<string, string>();

  constructor(deps: SqliteBundlesDeps) {
    super();
    this.#deps = deps;
  }

  override async deploy(tenant: string, { name, code, sourceMap }: NewBundle): Promise<BundleView> {
    const { meta, inspect, clock } = this.#deps;
    const { hash, workflows } = await inspect(code);
    meta.deploy(tenant, { hash, name, code, workflows, createdAt: clock.now(), ...(sourceMap === undefined ? {} : { sourceMap }) });
    this.#defaults.clear();
    return (await this.find(tenant, hash))!;
  }

  override async list(tenant: string): Promise<readonly BundleView[]> {
    return this.#views(tenant, this.#deps.meta.list(tenant));
  }

  override async find(tenant: string, hash: string): Promise<BundleView | undefined> {
    return (await this.list(tenant)).find((bundle) => bundle.hash === hash);
  }

  override async defaultFor(tenant: string, workflowType: string): Promise<string | undefined> {
    const key = `${tenant}\u0000${workflowType}`;
    const known = this.#defaults.get(key);
    if (known !== undefined) return known;
    const hash = this.#deps.meta.defaultFor(tenant, workflowType);
    // Names that nobody deployed may be many; they are not kept.
    if (hash !== undefined) this.#defaults.set(key, hash);
    return hash;
  }

  override async retire(tenant: string, hash: string): Promise<void> {
    const { meta, forget } = this.#deps;
    assertRetirable(hash, await this.find(tenant, hash));
    // A start that has found it may be on its way to its commit, in another file than the bundle.
    meta.beginRetirement(tenant, hash);
    this.#defaults.clear();
    let failure: unknown;
    await forget(tenant, hash).catch((thrown: unknown) => (failure = thrown));
    meta.endRetirement(tenant, hash, (bundle) => {
      if (failure !== undefined) throw failure;
      assertRetirable(hash, bundle && this.#views(tenant, [bundle])[0]);
    });
  }

  #views(tenant: string, bundles: readonly StoredBundle[]): BundleView[] {
    const { reader, clock } = this.#deps;
    const use = new Map(reader.bundleUse(tenant).map((each) => [each.bundle, each]));
    const nowMs = clock.now();
    return bundles.map((bundle) => toBundleView(bundle, { tenant, runs: use.get(bundle.hash), nowMs }));
  }
}
