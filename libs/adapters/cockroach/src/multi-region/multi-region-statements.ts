import { sliceIndexOf, type SliceName } from '@perdure/delivery';
import { MIGRATIONS } from '../schema/migrations.js';
import { tableLocalities, type Locality } from './table-localities.js';

export interface MultiRegion {
  /** As the nodes' `--locality` names them; the first is the primary one. Their order says which slice is at home where: never change it. */
  readonly regions: readonly string[];
  /** What the database must live through: the loss of a zone, or of a whole region, which takes three. */
  readonly survive: 'zone' | 'region';
}

const REGION = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** CockroachDB asks for so many before it survives one of them. */
const REGIONS_TO_SURVIVE_ONE = 3;

/** `history/7` of three regions is at home in the second: its owner should run there. */
export const homeRegionOf = (slice: SliceName, regions: readonly string[]): string => regions[sliceIndexOf(slice) % regions.length]!;

/**
 * CockroachDB's own definitions (https://www.cockroachlabs.com/docs/stable/multiregion-overview), each of which may be run again. A row's
 * region is computed from its slice, which is the first column of every key: so the server knows from a key alone where its row
 * lives, and need not ask the other regions whether they have it.
 * @throws TypeError for regions that cannot be
 */
export function multiRegionStatements(database: string, { regions, survive }: MultiRegion): readonly string[] {
  assertRegions({ regions, survive });
  const name = quoted(database);
  const [primary, ...others] = regions;
  return [
    `alter database ${name} primary region ${quoted(primary!)}`,
    ...others.map((region) => `alter database ${name} add region if not exists ${quoted(region)}`),
    `alter database ${name} survive ${survive} failure`,
    ...[...tableLocalities(MIGRATIONS)].flatMap(([table, locality]) => placed(table, locality, regions)),
  ];
}

function placed(table: string, locality: Locality, regions: readonly string[]): string[] {
  if (locality === 'global') return [`alter table ${table} set locality global`];
  return [
    `alter table ${table} add column if not exists region crdb_internal_region as (${homeOf(regions)}) stored`,
    `alter table ${table} alter column region set not null`,
    `alter table ${table} set locality regional by row as region`,
  ];
}

/** `homeRegionOf`, in SQL. */
const homeOf = (regions: readonly string[]): string =>
  `case mod(split_part(slice, '/', 2)::int, ${regions.length}) ${regions.map((region, index) => `when ${index} then '${region}'`).join(' ')} end`;

function assertRegions({ regions, survive }: MultiRegion): void {
  const odd = regions.find((region) => !REGION.test(region));
  if (odd !== undefined) throw new TypeError(`${JSON.stringify(odd)} is no name of a region`);
  if (regions.length === 0 || new Set(regions).size !== regions.length) throw new TypeError('Name at least one region, and each once.');
  if (survive === 'region' && regions.length < REGIONS_TO_SURVIVE_ONE) throw new TypeError(`To survive a region takes ${REGIONS_TO_SURVIVE_ONE} of them; there ${regions.length === 1 ? 'is' : 'are'} ${regions.length}.`);
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
