import { randomBytes } from 'node:crypto';
import { SystemClock } from '@perdure/clock';
import { CockroachPool, type CockroachPoolOptions } from '../pool/cockroach-pool.js';
import { migrate } from '../schema/migrate.js';

type PoolOptions = Partial<Omit<CockroachPoolOptions, 'schema'>>;

/** A schema of its own on a real server, so that tests run beside each other and twice. */
export interface TestDatabase {
  readonly url: string;
  readonly schema: string;
  readonly pool: CockroachPool;
  /** Another process, as it were. */
  open(options?: PoolOptions): CockroachPool;
  /** Closes every pool and drops the schema. */
  close(): Promise<void>;
}

/** `url`: what `PERDURE_TEST_POSTGRES` says. */
export async function openTestDatabase(url: string | undefined, options: PoolOptions = {}): Promise<TestDatabase> {
  if (!url) throw new Error('PERDURE_TEST_POSTGRES names no server (postgres://…); `npm run test:mesh` starts one.');
  const schema = `test_${randomBytes(8).toString('hex')}`;
  const pools: CockroachPool[] = [];
  const open = (more: PoolOptions = {}): CockroachPool => {
    const pool = new CockroachPool({ connectionString: url, clock: new SystemClock(), random: () => 0.5, schema, ...options, ...more });
    pools.push(pool);
    return pool;
  };
  const pool = open();
  await migrate(pool);
  return {
    url, schema, pool, open,
    close: async () => {
      await Promise.all(pools.map((each) => each.close()));
      const last = new CockroachPool({ connectionString: url, clock: new SystemClock(), random: () => 0.5 });
      await last.session((ask) => ask(`drop schema ${schema} cascade`));
      await last.close();
    },
  };
}
