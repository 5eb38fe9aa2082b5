import { PerdureError } from '@perdure/contract';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { isConflict, sqlStateOf } from '../pool/to-store-fault.js';
import { MIGRATIONS, type Migration } from './migrations.js';

type Ask = Parameters<Parameters<CockroachPool['session']>[0]>[0];

/** Another process defines the same thing at the same time: unique violation in a catalogue, `duplicate …`, or a row changed underneath. */
const RACES = new Set(['23505', '42P07', '42P06', '42710', 'XX000']);

const VERSIONS = 'create table if not exists schema_versions (version bigint not null primary key)';

/**
 * Brings the tables to this release's version; does nothing where they are at it. Several processes may do so at once: each statement
 * finds its work done or does it, and a version is noted behind its last statement.
 * @throws PerdureError when the tables are newer than this release
 */
export async function migrate(pool: CockroachPool, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await pool.session(async (ask) => {
    if (pool.schema !== undefined) await define(pool, ask, `create schema if not exists ${pool.schema}`);
    await define(pool, ask, VERSIONS);
    const [found] = await ask('select coalesce(max(version), 0) as version from schema_versions');
    const version = Number(found!.version);
    const known = migrations.at(-1)?.version ?? 0;
    if (version > known) throw new PerdureError('internal', `The database's tables are of version ${version}; this release knows versions up to ${known}. Start a newer release.`);
    for (const migration of migrations) {
      if (migration.version <= version) continue;
      for (const statement of migration.statements) await define(pool, ask, statement);
      await define(pool, ask, `insert into schema_versions (version) values (${migration.version}) on conflict (version) do nothing`);
    }
  });
}

async function define(pool: CockroachPool, ask: Ask, text: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ask(text);
      return;
    } catch (error) {
      const isRace = isConflict(error) || RACES.has(sqlStateOf(error) ?? '');
      if (!isRace || tries >= pool.limits.definitionTriesMax) throw error;
      await pool.pause(tries);
    }
  }
}
