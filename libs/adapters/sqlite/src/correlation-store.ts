import type { ExternalEvent } from '@perdure/contract';
import { CorrelationStore, EventArchive, WaitStore, type CorrelationChange, type EventHead, type EventIdentity, type WaitRow } from '@perdure/correlation';
import type { StatementSync } from 'node:sqlite';
import type { ShardFile } from './shard-file.js';

class SqliteWaitStore extends WaitStore {
  readonly #file: ShardFile;

  constructor(file: ShardFile) {
    super();
    this.#file = file;
  }

  override async load(): Promise<Iterable<WaitRow>> {
    const rows = this.#file.read(() => this.#file.db.prepare('select body from wait order by ord').all()) as unknown as { body: string }[];
    return rows.map(({ body }) => JSON.parse(body) as WaitRow);
  }
}

interface HeadRecord {
  arrival: number;
  arrived_at: number;
  tenant: string;
  type: string;
  keys: string;
  state: string;
}

class SqliteEventArchive extends EventArchive {
  readonly #file: ShardFile;
  readonly #find: StatementSync;
  readonly #isKnown: StatementSync;

  constructor(file: ShardFile) {
    super();
    this.#file = file;
    this.#find = file.db.prepare('select body from event where arrival = ?');
    this.#isKnown = file.db.prepare('select 1 from event where tenant = ? and source = ? and id = ?');
  }

  override async load(): Promise<Iterable<EventHead & { readonly offered: boolean }>> {
    const rows = this.#file.read(() => this.#file.db.prepare("select arrival, arrived_at, tenant, type, keys, state from event where state <> 'spent' order by arrival").all()) as unknown as HeadRecord[];
    return rows.map(({ arrival, arrived_at, tenant, type, keys, state }) => ({ arrival, arrivedAt: arrived_at, tenant, type, keys: JSON.parse(keys) as EventHead['keys'], offered: state === 'offered' }));
  }
  override async lastArrival(): Promise<number> {
    return this.#file.read(() => (this.#file.db.prepare('select coalesce(max(arrival), 0) as last from event').get() as { last: number }).last);
  }
  override async find(arrival: number): Promise<ExternalEvent | undefined> {
    const row = this.#file.read(() => this.#find.get(arrival)) as { body: string | null } | undefined;
    return row?.body ? (JSON.parse(row.body) as ExternalEvent) : undefined;
  }
  override async isKnown({ tenant, source, id }: EventIdentity): Promise<boolean> {
    return this.#file.read(() => this.#isKnown.get(tenant, source, id) !== undefined);
  }
}

/** Waits and events in a shard's file. */
export class SqliteCorrelationStore extends CorrelationStore {
  override readonly waits: WaitStore;
  override readonly events: EventArchive;
  readonly #file: ShardFile;
  readonly #putWait: StatementSync;
  readonly #deleteWait: StatementSync;
  readonly #putEvent: StatementSync;
  readonly #markEvent: StatementSync;
  readonly #sweep: StatementSync;

  constructor(file: ShardFile) {
    super();
    this.#file = file;
    this.waits = new SqliteWaitStore(file);
    this.events = new SqliteEventArchive(file);
    const { db } = file;
    this.#putWait = db.prepare('insert into wait values (?, ?, ?, ?, ?)');
    this.#deleteWait = db.prepare('delete from wait where key = ?');
    this.#putEvent = db.prepare('insert into event values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#markEvent = db.prepare("update event set state = ?1, body = case ?1 when 'spent' then null else body end where arrival = ?2");
    this.#sweep = db.prepare("delete from event where (state = 'buffered' and arrived_at < ?) or (state = 'spent' and arrived_at < ?)");
  }

  override async commit(changes: readonly CorrelationChange[]): Promise<void> {
    this.#file.transaction(() => this.write(changes));
  }

  /** Inside a transaction of the file. */
  write(changes: readonly CorrelationChange[]): void {
    for (const change of changes) this.#writeOne(change);
  }

  #writeOne(change: CorrelationChange): void {
    switch (change.kind) {
      case 'putWait': {
        const { key, order, run } = change.row;
        return void this.#putWait.run(key, order, run.tenant, run.workflowId, JSON.stringify(change.row));
      }
      case 'deleteWait':
        return void this.#deleteWait.run(change.key);
      case 'putEvent': {
        const { arrival, arrivedAt, tenant, type, keys, state, event } = change.row;
        return void this.#putEvent.run(arrival, arrivedAt, tenant, event.source, event.id, type, JSON.stringify(keys), state, JSON.stringify(event));
      }
      case 'markEvent':
        return void this.#markEvent.run(change.state, change.arrival);
      case 'sweepEvents':
        return void this.#sweep.run(change.bufferedBeforeMs, change.spentBeforeMs);
    }
  }
}
