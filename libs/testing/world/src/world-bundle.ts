import { bundle, mapFailure, type Bundle, type BundleInput } from '@perdure/bundler';
import type { Failure } from '@perdure/contract';
import { BundleSource, StackMapper, type BundleCode } from '@perdure/history';

/** A world has one bundle, whatever is asked for. */
export class WorldBundle extends BundleSource {
  readonly #bundle: Bundle;

  private constructor(made: Bundle) {
    super();
    this.#bundle = made;
  }

  /** @throws PerdureError `bundle-invalid` */
  static async make(workflows: string | BundleInput): Promise<WorldBundle> {
    return new WorldBundle(await bundle(typeof workflows === 'string' ? { entry: workflows } : workflows));
  }

  get hash(): string {
    return this.#bundle.hash;
  }

  get stacks(): StackMapper {
    return new WorldStacks(this.#bundle.sourceMap);
  }

  override async find(): Promise<BundleCode | undefined> {
    return this.#bundle;
  }

  override async defaultFor(_tenant: string, workflowType: string): Promise<string | undefined> {
    return this.#bundle.workflows.includes(workflowType) ? this.hash : undefined;
  }
}

class WorldStacks extends StackMapper {
  readonly #sourceMap: string;

  constructor(sourceMap: string) {
    super();
    this.#sourceMap = sourceMap;
  }

  override async map(_tenant: string, _bundle: string, failure: Failure): Promise<Failure> {
    return mapFailure(failure, this.#sourceMap);
  }
}
