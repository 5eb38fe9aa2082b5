import { mapFailure } from '@perdure/bundler';
import type { Failure } from '@perdure/contract';
import { StackMapper } from '@perdure/history';

/** Source maps of deployed bundles. */
export interface SourceMaps {
  code(tenant: string, hash: string): { readonly sourceMap?: string } | undefined;
}

export class BundleStacks extends StackMapper {
  readonly #maps: SourceMaps;

  constructor(maps: SourceMaps) {
    super();
    this.#maps = maps;
  }

  override async map(tenant: string, bundle: string, failure: Failure): Promise<Failure> {
    return mapFailure(failure, this.#maps.code(tenant, bundle)?.sourceMap);
  }
}
