import type { Failure } from '@perdure/contract';

/** Turns positions in a bundle into positions in the user's files. */
export abstract class StackMapper {
  abstract map(tenant: string, bundle: string, failure: Failure): Promise<Failure>;
}
