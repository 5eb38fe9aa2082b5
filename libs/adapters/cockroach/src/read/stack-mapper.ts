import { mapFailure, readSourceMap, type SourceMap } from '@perdure/bundler';
import type { Failure } from '@perdure/contract';
import { StackMapper } from '@perdure/history';
import { BUNDLE_LIMITS } from './bundle-limits.js';
import type { CockroachBundleSource } from './bundle-source.js';
import { Kept } from './kept.js';

/** Errors point to the user's own files, by the source maps of the deployed bundles. */
export class CockroachStackMapper extends StackMapper {
  readonly #bundles: Pick<CockroachBundleSource, 'sourceMap'>;
  readonly #maps = new Kept<SourceMap | 'none'>(BUNDLE_LIMITS.sourceMapCharsMax);

  constructor(bundles: Pick<CockroachBundleSource, 'sourceMap'>) {
    super();
    this.#bundles = bundles;
  }

  override async map(tenant: string, bundle: string, failure: Failure): Promise<Failure> {
    const key = `${tenant}\u0000${bundle}`;
    const map = this.#maps.get(key) ?? (await this.#read(key, { tenant, bundle }));
    return map === 'none' ? failure : mapFailure(failure, map);
  }

  async #read(key: string, { tenant, bundle }: { readonly tenant: string; readonly bundle: string }): Promise<SourceMap | 'none'> {
    const text = (await this.#bundles.sourceMap(tenant, bundle)) ?? '';
    const map = readSourceMap(text) ?? 'none';
    this.#maps.set(key, map, Math.max(text.length, 1));
    return map;
  }
}
