import type { ExternalEvent } from '@perdure/contract';
import { CorrelationStore, EventArchive, WaitStore, type EventHead, type EventIdentity, type WaitRow } from '@perdure/correlation';
import type { SliceName } from '@perdure/delivery';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { FIND_EVENT, IS_KNOWN, READ_HEADS, READ_LAST_ARRIVAL, READ_WAITS, toEventHead } from '../rows/correlation-rows.js';

class CockroachWaitStore extends WaitStore {
  readonly #pool: CockroachPool;
  readonly #slice: SliceName;

  constructor(pool: CockroachPool, slice: SliceName) {
    super();
    this.#pool = pool;
    this.#slice = slice;
  }

  override async load(): Promise<Iterable<WaitRow>> {
    return (await this.#pool.read(READ_WAITS, [this.#slice])).map(({ body }) => JSON.parse(body as string) as WaitRow);
  }
}

class CockroachEventArchive extends EventArchive {
  readonly #pool: CockroachPool;
  readonly #slice: SliceName;

  constructor(pool: CockroachPool, slice: SliceName) {
    super();
    this.#pool = pool;
    this.#slice = slice;
  }

  override async load(): Promise<Iterable<EventHead & { readonly offered: boolean }>> {
    return (await this.#pool.read(READ_HEADS, [this.#slice])).map(toEventHead);
  }
  override async lastArrival(): Promise<number> {
    const [row] = await this.#pool.read(READ_LAST_ARRIVAL, [this.#slice]);
    return row!.last as number;
  }
  override async find(arrival: number): Promise<ExternalEvent | undefined> {
    const [row] = await this.#pool.read(FIND_EVENT, [this.#slice, arrival]);
    return row?.body ? (JSON.parse(row.body as string) as ExternalEvent) : undefined;
  }
  override async isKnown({ tenant, source, id }: EventIdentity): Promise<boolean> {
    return (await this.#pool.read(IS_KNOWN, [this.#slice, tenant, source, id])).length > 0;
  }
}

/** A slice's waits and events, as its owner reads them. */
export class CockroachCorrelationStore extends CorrelationStore {
  override readonly waits: WaitStore;
  override readonly events: EventArchive;

  constructor(pool: CockroachPool, slice: SliceName) {
    super();
    this.waits = new CockroachWaitStore(pool, slice);
    this.events = new CockroachEventArchive(pool, slice);
  }

  override commit(): Promise<void> {
    throw new Error('correlation commits by its slice');
  }
}
