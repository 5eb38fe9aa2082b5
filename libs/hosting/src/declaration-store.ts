import type { Declarations } from './declarations.js';

export interface StoredDeclarations {
  readonly declarations: Declarations;
  /** Names what was read, for a put over it. */
  readonly version: string;
}

/**
 * Where the servers of a mesh have their declarations in common: tenants' API keys by their hashes, webhook sources, event types. Settings,
 * never decided state: what is lost here is declared again, and no run's history rests on it.
 */
export abstract class DeclarationStore {
  /** @throws PerdureError `invalid-request` when what is there does not fit, `unavailable` */
  abstract get(): Promise<StoredDeclarations | undefined>;
  /**
   * Only over `version`; absent: only if nothing is there. `false`: another was first.
   * @throws PerdureError `invalid-request` for a secret that stands in the text itself, `unavailable`
   */
  abstract put(declarations: Declarations, version?: string): Promise<boolean>;
}

export interface LoadedDeclarations {
  readonly declarations: Declarations;
  /** The configuration file says something else, and is not followed: the store is what all servers share. */
  readonly isOtherThanSeed: boolean;
}

/**
 * What holds for a server that starts. The first one of a mesh puts its file's declarations into the store; from then on the store counts.
 * @throws PerdureError
 */
export const loadDeclarations = async (store: DeclarationStore, seed: Declarations): Promise<LoadedDeclarations> => {
  const known = (await store.get()) ?? (await store.put(seed).then(() => store.get()));
  // Deleted in between: as if it had not been there.
  const declarations = known?.declarations ?? seed;
  return { declarations, isOtherThanSeed: canonical(declarations) !== canonical(seed) };
};

/** Stores may keep the keys of an object in an order of their own. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) => (typeof each === 'object' && each !== null && !Array.isArray(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each));
