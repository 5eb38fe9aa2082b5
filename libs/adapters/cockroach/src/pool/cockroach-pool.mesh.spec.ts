import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '@perdure/clock';
import { Client } from 'pg';
import { openTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { until } from '../testing/until.js';
import { CockroachPool, type SentStatement } from './cockroach-pool.js';
import { Exchange } from './exchange.js';
import type { Query, Statement, Value } from './statement.js';

const PUT: Statement = { name: 'test_put', text: 'insert into marks (slice, source, mark, seen) values ($1, $2, $3, $4)' };
const COUNT: Statement = { name: 'test_count', text: 'select count(*) as count from marks' };
const DIVIDE: Statement = { name: 'test_divide', text: 'select 1 / $1::bigint as result' };
const put = (source: string): Query => ({ statement: PUT, values: ['history/0', source, 1, '[]'] });
const divide = (by: number): Query => ({ statement: DIVIDE, values: [by] });

describe('CockroachPool', () => {
  let database: TestDatabase;
  let pool: CockroachPool;
  let sent: SentStatement[];
  beforeAll(async () => {
    database = await openTestDatabase(process.env['PERDURE_TEST_POSTGRES']);
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    sent = [];
    pool = database.open({ onStatement: (statement) => void sent.push(statement) });
    await pool.write({ name: 'test_clear', text: 'delete from marks where slice = $1' }, ['history/0']);
  });
  afterEach(() => pool.close());
  const count = async (): Promise<unknown> => (await pool.read(COUNT, []))[0]!.count;

  it('has serializable sessions, and says all that it sends', async () => {
    expect(await pool.read({ name: 'test_show', text: 'show transaction_isolation' }, [])).toEqual([{ transaction_isolation: 'serializable' }]);
    sent = [];
    await pool.transaction([put('a')]);
    expect(sent.map(({ text }) => text)).toEqual(['begin isolation level serializable', PUT.text, 'commit']);
  });

  it('gives numbers, texts, bytes and nothing as they are', async () => {
    const text = 'ünï 日本 🦆 "quoted" \\ {a,b}';
    const values: Value[] = [2 ** 52, text, Buffer.from([0, 255, 128]), null];
    expect(await pool.read({ name: 'test_values', text: 'select $1::bigint as a, $2::text as b, $3::bytea as c, $4::text as d' }, values)).toEqual([{ a: 2 ** 52, b: text, c: Buffer.from([0, 255, 128]), d: null }]);
  });

  it('commits all of a transaction or none of it, and goes on after either', async () => {
    await expect(pool.transaction([put('a'), divide(0), put('b')])).rejects.toMatchObject({ fault: 'contentRefused' });
    expect(await count()).toBe(0);
    const [, [row]] = await pool.transaction([put('a'), divide(1), put('b')]) as [unknown, [object], unknown];
    expect(row).toEqual({ result: 1 });
    expect(await count()).toBe(2);
  });

  it('runs nothing behind a statement that failed, be it the one that should have begun the transaction', async () => {
    const client = new Client(database.url);
    await client.connect();
    await client.query(`set search_path = ${database.schema}`);
    await expect(Exchange.run(client, [divide(0), put('a'), { statement: { name: 'commit', text: 'commit' }, values: [] }])).rejects.toMatchObject({ index: 0 });
    await client.end();
    expect(await count()).toBe(0);
  });

  it('reads several things as of one moment', async () => {
    expect(await pool.readAll([{ statement: COUNT, values: [] }, divide(1)])).toEqual([[{ count: 0 }], [{ result: 1 }]]);
    await expect(pool.readAll([put('a')])).rejects.toMatchObject({ fault: 'unavailable', message: expect.stringContaining('read-only') });
  });

  it('prepares anew what an error left in doubt', async () => {
    const missing: Statement = { name: 'test_missing', text: 'select * from made_later' };
    await expect(pool.read(missing, [])).rejects.toMatchObject({ fault: 'unavailable' });
    await pool.session((ask) => ask('create table made_later as select 1 as one'));
    expect(await pool.read(missing, [])).toEqual([{ one: 1 }]);
    await pool.session((ask) => ask('alter table made_later add column two bigint'));
    // Its plan has other columns now; PostgreSQL says so once.
    await pool.read(missing, []).catch(() => undefined);
    expect(await pool.read(missing, [])).toEqual([{ one: 1, two: null }]);
    await pool.session((ask) => ask('drop table made_later'));
  });

  it('makes new connections where the server has cut the old ones', async () => {
    const mine = database.open({ applicationName: database.schema });
    const ask = async (): Promise<unknown> => (await mine.read(COUNT, []))[0]!.count;
    await Promise.all([ask(), ask(), ask()]);
    await database.pool.session((session) => session('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [database.schema]));
    await until(async () => (await ask().catch(() => undefined)) === 0);
  });

  it('says that a server it cannot reach is unavailable', async () => {
    const away = new CockroachPool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', clock: new SystemClock(), random: () => 0.5 });
    await expect(away.write(COUNT, [])).rejects.toMatchObject({ fault: 'unavailable' });
    await expect(away.transaction([put('a')])).rejects.toMatchObject({ fault: 'unavailable' });
    await expect(away.session(async () => undefined)).rejects.toMatchObject({ fault: 'unavailable' });
    await away.close();
  });

  it('says that it is unavailable while all its connections are in use', async () => {
    const narrow = database.open({ limits: { connectionsMax: 1, connectTimeoutMs: 100 } });
    const long = narrow.read({ name: 'test_sleep', text: 'select pg_sleep(1)' }, []);
    await expect(narrow.read(COUNT, [])).rejects.toMatchObject({ fault: 'unavailable', message: expect.stringContaining('timeout') });
    await long;
  });

  it('takes no name of a schema that is none', () => {
    expect(() => database.open({ ...({ schema: 'a; drop table b' } as object) })).toThrow('is no name of a schema');
  });
});
