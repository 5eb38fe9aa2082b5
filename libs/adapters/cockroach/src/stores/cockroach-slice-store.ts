import { checkFence, isStoreFault, SliceStore, StoreFault, type SliceCommit, type SliceHead, type SliceName } from '@perdure/delivery';
import { ALL_GUARDS, type Guards } from '@perdure/guards';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Query, Row, Statement } from '../pool/statement.js';
import { sqlStateOf } from '../pool/to-store-fault.js';
import { deliveryQueries, deliveryReads, SWEEP_OUTBOX, toDeliveryRows } from '../rows/delivery-rows.js';
import type { ServiceRows } from '../rows/service-rows.js';

const READ_SLICE: Statement = { name: 'read_slice', text: 'select epoch, cursor, is_clean, log_identity, log_offset, log_last_id from slices where slice = $1' };
const READ_EPOCH: Statement = { name: 'read_epoch', text: 'select epoch from slices where slice = $1' };
/** The first owner makes the row. */
const TAKE_FIRST: Statement = {
  name: 'take_first',
  text: 'insert into slices (slice, epoch, cursor, is_clean) values ($1, 1, 0, false) on conflict (slice) do update set epoch = 1, is_clean = false where slices.epoch = 0 returning epoch',
};
const TAKE_OVER: Statement = { name: 'take_over', text: 'update slices set epoch = epoch + 1, is_clean = false where slice = $1 and epoch = $2 returning epoch' };
const RELEASE: Statement = { name: 'release', text: 'update slices set is_clean = true where slice = $1 and epoch = $2' };
const COUNT_TRY: Statement = {
  name: 'count_try',
  text: `with owner as (select slice, epoch from slices where slice = $1 and epoch = $2),
    noted as (insert into tries (slice, work, epoch) select slice, $3::text, epoch from owner on conflict (slice, work, epoch) do nothing returning slice)
    select (select count(*) from owner) as owners, (select count(*) from tries where slice = $1 and work = $3::text and epoch <> $2) + 1 as tries`,
};
const SURVIVED: Statement = { name: 'survived', text: 'delete from tries where slice = $1 and work = $2 and epoch = $3' };

/**
 * I3. What is to be committed fails as a whole, by a division by zero, where the row is not as the owner believes. It is an upsert
 * although the row is there, for that takes no read lock (`ServiceRows`); where it is not, the new row's epoch 0 counts for nothing.
 */
const fence = (guards: Guards): Statement => {
  const isEpoch = guards.has('epochCheck') ? 'slices.epoch = $2' : '$2::bigint is not null';
  const isCursor = guards.has('cursorCompareAndSet') ? 'slices.cursor = $3' : '$3::bigint is not null';
  return {
    // A connection knows a statement by its name.
    name: ['fence', ...(['epochCheck', 'cursorCompareAndSet'] as const).filter((guard) => !guards.has(guard))].join('_without_').toLowerCase(),
    text: `with moved as (
      insert into slices (slice, epoch, cursor, is_clean, log_identity, log_offset, log_last_id) values ($1, 0, $4, false, $5, $6, $7)
      on conflict (slice) do update set cursor = excluded.cursor, log_identity = excluded.log_identity, log_offset = excluded.log_offset, log_last_id = excluded.log_last_id
      where ${isEpoch} and ${isCursor} returning epoch
    ) select 1 / count(*) as moved from moved where epoch > 0`,
  };
};
const DIVISION_BY_ZERO = '22012';

export interface CockroachSliceStoreOptions<Rows> {
  readonly pool: CockroachPool;
  readonly slice: SliceName;
  readonly service: ServiceRows<Rows>;
  readonly guards?: Guards;
}

/**
 * A slice's rows in CockroachDB.
 *
 * 1. A batch is one serializable transaction and one round trip, the fence first: where that fails nothing behind it runs.
 * 2. An epoch is taken by compare-and-set on the slice's row; each commit names it.
 */
export class CockroachSliceStore<Rows> extends SliceStore<Rows> {
  readonly #options: CockroachSliceStoreOptions<Rows>;
  readonly #guards: Guards;
  readonly #fence: Statement;
  /** The first one sweeps: so what an owner leaves blank is bounded, however short it lives. */
  #commits = 0;

  constructor(options: CockroachSliceStoreOptions<Rows>) {
    super();
    this.#options = options;
    this.#guards = options.guards ?? ALL_GUARDS;
    this.#fence = fence(this.#guards);
  }

  override async head(): Promise<SliceHead> {
    const { pool, slice } = this.#options;
    const [[row], ...rest] = await pool.readAll([{ statement: READ_SLICE, values: [slice] }, ...deliveryReads(slice)]) as [readonly Row[], ...(readonly Row[])[]];
    return { ...toSliceRow(row), ...toDeliveryRows(rest) };
  }

  override async epoch(): Promise<number> {
    const { pool, slice } = this.#options;
    const [row] = await pool.read(READ_EPOCH, [slice]);
    return (row?.epoch as number | undefined) ?? 0;
  }

  override async takeOver(from: number): Promise<void> {
    const { pool, slice } = this.#options;
    const taken = from === 0 ? await pool.write(TAKE_FIRST, [slice]) : await pool.write(TAKE_OVER, [slice, from]);
    if (taken.length === 0) throw new StoreFault('staleOwner', `the slice is at epoch ${await this.epoch()}, not ${from}`);
  }

  override async commit(commit: SliceCommit<Rows>): Promise<void> {
    const { pool } = this.#options;
    const isSweep = this.#commits % pool.limits.sweepEveryCommits === 0;
    const queries = [this.#fenceOf(commit), ...this.#rowsOf(commit), ...(isSweep ? this.#sweeps() : [])];
    assertSize(queries, pool.limits.transactionCharsMax);
    try {
      await pool.transaction(queries);
      this.#commits += 1;
    } catch (thrown) {
      if (isStoreFault(thrown) && sqlStateOf(thrown.cause) === DIVISION_BY_ZERO) await this.#refuseStale(commit);
      throw thrown;
    }
  }

  override async countTry(epoch: number, work: string): Promise<number> {
    const { pool, slice } = this.#options;
    const [row] = await pool.write(COUNT_TRY, [slice, epoch, work]);
    if (row!.owners !== 1) throw new StoreFault('staleOwner', `the slice is at epoch ${await this.epoch()}, not ${epoch}`);
    return row!.tries as number;
  }

  override async survived(epoch: number, work: string): Promise<void> {
    const { pool, slice } = this.#options;
    await pool.write(SURVIVED, [slice, work, epoch]);
  }

  override async release(epoch: number): Promise<void> {
    const { pool, slice } = this.#options;
    await pool.write(RELEASE, [slice, epoch]);
  }

  #fenceOf({ epoch, cursor, log }: SliceCommit<Rows>): Query {
    return { statement: this.#fence, values: [this.#options.slice, epoch, cursor.from, cursor.to, log?.identity ?? null, log?.offset ?? null, log?.lastId ?? null] };
  }

  #rowsOf(commit: SliceCommit<Rows>): Query[] {
    const { slice, service } = this.#options;
    return [...deliveryQueries(slice, commit), ...(commit.rows === undefined ? [] : service.queries(slice, commit.rows, commit.cursor.to))];
  }

  #sweeps(): Query[] {
    const { slice, service } = this.#options;
    return [SWEEP_OUTBOX, ...service.sweeps].map((statement) => ({ statement, values: [slice] }));
  }

  /** Says which of both is stale. @throws StoreFault `staleOwner` */
  async #refuseStale(commit: SliceCommit<Rows>): Promise<never> {
    const { pool, slice } = this.#options;
    const [row] = await pool.read(READ_SLICE, [slice]);
    checkFence(toSliceRow(row), commit, this.#guards);
    throw new StoreFault('staleOwner', 'the slice has moved');
  }
}

function toSliceRow(row: Row | undefined): Pick<SliceHead, 'epoch' | 'cursor' | 'isClean' | 'log'> {
  if (!row) return { epoch: 0, cursor: 0, isClean: false };
  const { epoch, cursor, is_clean, log_identity, log_offset, log_last_id } = row as { epoch: number; cursor: number; is_clean: boolean; log_identity: string | null; log_offset: number; log_last_id: string | null };
  const log = log_identity === null ? {} : { log: { identity: log_identity, offset: log_offset, ...(log_last_id === null ? {} : { lastId: log_last_id }) } };
  return { epoch, cursor, isClean: is_clean, ...log };
}

/** @throws StoreFault `contentRefused` */
function assertSize(queries: readonly Query[], charsMax: number): void {
  let chars = 0;
  for (const { values } of queries) for (const value of values) chars += typeof value === 'string' || Buffer.isBuffer(value) ? value.length : 0;
  if (chars > charsMax) throw new StoreFault('contentRefused', `a batch of ${chars} characters is over the ${charsMax} allowed`);
}
