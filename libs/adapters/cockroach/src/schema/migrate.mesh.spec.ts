import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { migrate } from './migrate.js';
import { MIGRATIONS } from './migrations.js';

describe('Migrations', () => {
  let database: TestDatabase;
  let sent: string[];
  beforeEach(async () => {
    sent = [];
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES'], { onStatement: ({ text }) => void sent.push(text) });
  });
  afterEach(() => database.close());

  const newest = MIGRATIONS.at(-1)!.version;
  const versions = async (): Promise<unknown[]> => (await database.pool.session((ask) => ask('select version from schema_versions order by version'))).map(({ version }) => Number(version));
  const defined = (): string[] => sent.filter((text) => text.startsWith('create table'));

  it('are made once', async () => {
    expect(await versions()).toEqual(MIGRATIONS.map(({ version }) => version));
    sent = [];
    await migrate(database.pool);
    expect(defined()).toEqual(['create table if not exists schema_versions (version bigint not null primary key)']);
  });

  it('are made by several that start at once, without complaint', async () => {
    await database.pool.session(async (ask) => {
      await ask(`drop schema ${database.schema} cascade`);
    });
    await Promise.all(Array.from({ length: 6 }, () => migrate(database.open())));
    expect(await versions()).toEqual(MIGRATIONS.map(({ version }) => version));
  });

  it('go on where they were left', async () => {
    const next = { version: newest + 1, statements: ['create table if not exists later (id bigint not null primary key)'] };
    await migrate(database.pool, [...MIGRATIONS, next]);
    expect(await versions()).toContain(newest + 1);
    await database.pool.session((ask) => ask('select id from later'));
  });

  it('refuse tables of a newer release by their version', async () => {
    await database.pool.session((ask) => ask(`insert into schema_versions (version) values (${newest + 7})`));
    await expect(migrate(database.pool)).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining(`version ${newest + 7}; this release knows versions up to ${newest}`) });
  });
});
