import { PerdureError, type BundleView } from '@perdure/contract';

/** A bundle as it is kept, without its code. */
export interface StoredBundle {
  readonly hash: string;
  readonly name: string;
  readonly workflows: readonly string[];
  readonly bytes: number;
  readonly createdAt: number;
  readonly defaultFor: readonly string[];
}

/** Evaluates code as a bundle. @throws PerdureError `bundle-invalid` */
export type InspectCode = (code: string) => Promise<{
  /** SHA-256 of the code, hex. */
  readonly hash: string;
  readonly workflows: readonly string[];
}>;

/** Its runs that are not closed, and when its newest one started. */
export interface RunsOnBundle {
  readonly open: number;
  readonly newest: number;
}

const DAY_MS = 86_400_000;
/** Design §11: the maximal run time plus a day, counted from the bundle's newest run. */
export const BUNDLE_RETIRE_AFTER_MS = 8 * DAY_MS;

/** The bundle as the API shows it, at `nowMs`; no `runs`: none are on it. */
export function toBundleView(bundle: StoredBundle, { tenant, runs, nowMs }: { readonly tenant: string; readonly runs: RunsOnBundle | undefined; readonly nowMs: number }): BundleView {
  const { hash, name, workflows, bytes, createdAt, defaultFor } = bundle;
  const why = whyKept(defaultFor, runs, nowMs);
  return { hash, tenant, name, workflows, bytes, createdAt, defaultFor, openRuns: runs?.open ?? 0, retirable: why === undefined, ...(why === undefined ? {} : { why }) };
}

/** @throws PerdureError `unknown-bundle`, `bundle-in-use` */
export function assertRetirable(hash: string, bundle: BundleView | undefined): void {
  if (!bundle) throw unknownBundle(hash);
  if (!bundle.retirable) throw new PerdureError('bundle-in-use', `The bundle cannot be retired yet: ${bundle.why}.`);
}

export const unknownBundle = (hash: string): PerdureError => new PerdureError('unknown-bundle', `No bundle ${hash} is deployed.`);

function whyKept(defaultFor: readonly string[], { open, newest }: RunsOnBundle = { open: 0, newest: 0 }, nowMs: number): string | undefined {
  if (defaultFor.length > 0) return `it is the default for ${defaultFor.join(', ')}`;
  if (open > 0) return open === 1 ? 'a run on it has not closed' : `${open} runs on it have not closed`;
  if (newest + BUNDLE_RETIRE_AFTER_MS > nowMs) return `its newest run started less than ${BUNDLE_RETIRE_AFTER_MS / DAY_MS} days ago`;
  return undefined;
}
