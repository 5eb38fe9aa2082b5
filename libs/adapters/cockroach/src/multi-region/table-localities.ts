import type { Migration } from '../schema/migrations.js';

/** `byRow`: each row has a home, its slice's. `global`: read everywhere at once, written slowly. */
export type Locality = 'byRow' | 'global';

const TABLE = /^create table if not exists (?<name>\w+) \((?<columns>.*)\)$/s;

/**
 * Every table, so that none which is added later is forgotten: rows that belong to a slice live where the slice does, and what all
 * services share (the bundles, which each start looks for) is few and seldom written.
 */
export function tableLocalities(migrations: readonly Migration[]): ReadonlyMap<string, Locality> {
  const localities = new Map<string, Locality>([['schema_versions', 'global']]);
  for (const { statements } of migrations) {
    for (const statement of statements) {
      const { name, columns } = TABLE.exec(statement)?.groups ?? {};
      if (name !== undefined) localities.set(name, columns!.trimStart().startsWith('slice text') ? 'byRow' : 'global');
    }
  }
  return localities;
}
