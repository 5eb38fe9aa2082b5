import { SagaStore, type RollbackRow } from '@perdure/compensation';
import type { SliceName } from '@perdure/delivery';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import { READ_ROLLBACKS } from '../rows/compensation-rows.js';

/** A slice's rollbacks, for its owner to begin with. */
export class CockroachSagaStore extends SagaStore {
  readonly #pool: CockroachPool;
  readonly #slice: SliceName;

  constructor(pool: CockroachPool, slice: SliceName) {
    super();
    this.#pool = pool;
    this.#slice = slice;
  }

  override async load(): Promise<Iterable<RollbackRow>> {
    return (await this.#pool.read(READ_ROLLBACKS, [this.#slice])).map(({ body }) => JSON.parse(body as string) as RollbackRow);
  }

  override commit(): Promise<void> {
    throw new Error('compensation commits by its slice');
  }
}
