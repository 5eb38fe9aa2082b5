/** A deployed bundle, as the shard needs it. */
export interface BundleCode {
  /** SHA-256 of `code`, hex. */
  readonly hash: string;
  readonly code: string;
  readonly workflows: readonly string[];
}

/** Deployed bundles, by hash; content-addressed, so what was found once may be kept. */
export abstract class BundleSource {
  abstract find(tenant: string, hash: string): Promise<BundleCode | undefined>;
  /** The bundle is being retired: what was kept of it must be looked up again. By default nothing is kept. */
  forget(_tenant: string, _hash: string): void {
    // Nothing is kept.
  }
  /** Hash of the bundle that new runs of the type take. */
  abstract defaultFor(tenant: string, workflowType: string): Promise<string | undefined>;
}
