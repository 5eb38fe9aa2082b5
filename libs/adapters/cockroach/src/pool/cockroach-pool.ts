import assert from 'node:assert/strict';
import type { Clock } from '@perdure/clock';
import { isStoreFault, StoreFault } from '@perdure/delivery';
import { Client, Pool, type ClientBase, type ClientConfig } from 'pg';
import { COCKROACH_LIMITS, type CockroachLimits } from '../cockroach-limits.js';
import { Exchange, type Failure } from './exchange.js';
import type { Query, Row, Statement, Value } from './statement.js';
import { isBroken, isConflict, toStoreFault, type Phase } from './to-store-fault.js';

/** What `onStatement` is told of: all that is sent, also `begin` and `commit`. */
export interface SentStatement {
  /** Of a prepared one. */
  readonly name?: string;
  readonly text: string;
}

export interface CockroachPoolOptions {
  /** `postgres://…` */
  readonly connectionString: string;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Where the tables are; otherwise where the server looks first. `migrate` makes it. */
  readonly schema?: string;
  readonly applicationName?: string;
  readonly limits?: Partial<CockroachLimits>;
  /** Is told of every statement before it is sent. */
  readonly onStatement?: (statement: SentStatement) => void;
  /** Is told of each transaction that is tried anew because others were in the way. */
  readonly onConflict?: (fault: StoreFault) => void;
}

const control = (name: string, text: string): Query => ({ statement: { name, text }, values: [] });
const BEGIN = control('begin', 'begin isolation level serializable');
const BEGIN_READ = control('begin_read', 'begin isolation level serializable, read only');
const COMMIT = control('commit', 'commit');
const SERIALIZABLE = 'set session characteristics as transaction isolation level serializable';
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/**
 * Connections to CockroachDB, or to PostgreSQL standing in for it.
 *
 * 1. Sessions are SERIALIZABLE. Nothing here rests on locks, LISTEN/NOTIFY or the order in which sequences count.
 * 2. A transaction's statements are sent in one go, COMMIT among them, and answered in one: one round trip (`Exchange`).
 * 3. What others were in the way of (40001) is tried anew here, as it is. Whatever else fails is told as a `StoreFault`, once.
 */
export class CockroachPool {
  readonly #options: CockroachPoolOptions;
  readonly #pool: Pool;
  readonly limits: CockroachLimits;
  readonly schema: string | undefined;

  constructor(options: CockroachPoolOptions) {
    if (options.schema !== undefined && !SCHEMA_NAME.test(options.schema)) throw new TypeError(`${options.schema} is no name of a schema`);
    this.#options = options;
    this.limits = { ...COCKROACH_LIMITS, ...options.limits };
    this.schema = options.schema;
    const { connectionsMax, idleTimeoutMs, statementTimeoutMs, answerTimeoutMs } = this.limits;
    assert(statementTimeoutMs < answerTimeoutMs, 'a statement is given up by the server before its answer is given up here');
    this.#pool = new Pool({
      ...this.#config(),
      max: connectionsMax,
      idleTimeoutMillis: idleTimeoutMs,
      statement_timeout: statementTimeoutMs,
      query_timeout: answerTimeoutMs,
      // The pool waits for what it gives, though its types do not say so.
      onConnect: (client) => this.#prepareSession(client) as unknown as void,
    });
    // An idle connection broke: the pool has dropped it, and the next use makes another.
    this.#pool.on('error', () => undefined);
  }

  /** What is committed, in one round trip. @throws StoreFault `unavailable` */
  async read(statement: Statement, values: readonly Value[]): Promise<readonly Row[]> {
    const [rows] = await this.#exchange([{ statement, values }], () => 'reading');
    return rows!;
  }

  /** All as of one moment, in one round trip. @throws StoreFault `unavailable` */
  async readAll(queries: readonly Query[]): Promise<readonly (readonly Row[])[]> {
    return (await this.#exchange([BEGIN_READ, ...queries, COMMIT], () => 'reading')).slice(1, -1);
  }

  /** A statement that is a transaction of its own. @throws StoreFault */
  async write(statement: Statement, values: readonly Value[]): Promise<readonly Row[]> {
    const [rows] = await this.#exchange([{ statement, values }], () => 'committing');
    return rows!;
  }

  /** All or nothing, in one round trip. @throws StoreFault */
  async transaction(queries: readonly Query[]): Promise<readonly (readonly Row[])[]> {
    const all = [BEGIN, ...queries, COMMIT];
    return (await this.#exchange(all, (index) => (index < all.length - 1 ? 'writing' : 'committing'))).slice(1, -1);
  }

  /** A connection without time limits, for definitions; errors come as the driver gives them. */
  async session<T>(run: (query: (text: string, values?: readonly Value[]) => Promise<readonly Row[]>) => Promise<T>): Promise<T> {
    const client = new Client(this.#config());
    // It rejects the query in hand as well.
    client.on('error', () => undefined);
    try {
      await client.connect().catch((error: unknown) => Promise.reject(toStoreFault(error, 'connecting')));
      await this.#prepareSession(client);
      return await run(async (text, values = []) => {
        this.#options.onStatement?.({ text });
        return (await client.query<Row>(text, [...values])).rows;
      });
    } finally {
      await client.end();
    }
  }

  /** As long as that many tries ask for: doubling to a bound, with jitter. */
  async pause(tries: number): Promise<void> {
    const { clock, random } = this.#options;
    const { conflictRetryMs, conflictRetryMsMax } = this.limits;
    const ms = Math.ceil(Math.min(conflictRetryMsMax, conflictRetryMs * 2 ** tries) * (0.5 + 0.5 * random()));
    await new Promise<void>((resolve) => void clock.at(clock.now() + ms, resolve));
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
  }

  #config(): ClientConfig {
    const { connectionString, applicationName = 'perdure' } = this.#options;
    const { connectTimeoutMs, keepAliveMs } = this.limits;
    return { connectionString, application_name: applicationName, connectionTimeoutMillis: connectTimeoutMs, keepAlive: true, keepAliveInitialDelayMillis: keepAliveMs };
  }

  async #prepareSession(client: ClientBase): Promise<void> {
    for (const text of [SERIALIZABLE, ...(this.schema === undefined ? [] : [`set search_path = ${this.schema}`])]) {
      this.#options.onStatement?.({ text });
      await client.query(text);
    }
  }

  async #exchange(queries: readonly Query[], phaseOf: (index: number) => Phase): Promise<readonly (readonly Row[])[]> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#exchangeOnce(queries, phaseOf);
      } catch (thrown) {
        if (!isStoreFault(thrown) || !isConflict(thrown.cause) || tries >= this.limits.conflictRetriesMax) throw thrown;
        this.#options.onConflict?.(thrown);
        await this.pause(tries);
      }
    }
  }

  async #exchangeOnce(queries: readonly Query[], phaseOf: (index: number) => Phase): Promise<readonly (readonly Row[])[]> {
    const client = await this.#pool.connect().catch((error: unknown) => Promise.reject(toStoreFault(error, 'connecting')));
    // A connection that breaks rejects the exchange as well.
    const onError = (): void => undefined;
    client.on('error', onError);
    const { onStatement } = this.#options;
    if (onStatement) for (const { statement } of queries) onStatement(statement);
    let unusable: Error | undefined;
    try {
      const { results, tags } = await Exchange.run(client, queries);
      if (queries.at(-1) === COMMIT && tags.at(-1) !== 'COMMIT') throw new StoreFault('unavailable', `the transaction ended with ${tags.at(-1)}`);
      return results;
    } catch (thrown) {
      if (isStoreFault(thrown)) throw thrown;
      const { error, index } = thrown as Failure;
      unusable = isBroken(error) ? (error as Error) : await rollback(client);
      throw toStoreFault(error, phaseOf(index));
    } finally {
      client.removeListener('error', onError);
      client.release(unusable);
    }
  }
}

/** After an error within a transaction the session waits for its end. Gives what makes the connection unusable, if anything does. */
const rollback = (client: ClientBase): Promise<Error | undefined> =>
  client.query('rollback').then(
    () => undefined,
    (error: unknown) => error as Error,
  );
