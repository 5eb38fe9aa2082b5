import type { TaskView } from '@perdure/contract';
import type { SliceMap } from '@perdure/delivery';
import { TASKS_SHOWN_MAX, taskKeysOf, TaskReader, toTaskViews } from '@perdure/scheduler';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';
import { toKeyText } from '../rows/key-text.js';
import { toTaskRow } from '../rows/scheduler-rows.js';

/** Keys are compared byte by byte, as CockroachDB does and PostgreSQL with the locale `C`. One that is blank is deleted (`ServiceRows`). */
const OF_WORKFLOW: Statement = { name: 'view_tasks', text: `select key, ord, spec, state from tasks where slice = $1 and key >= $2 and key < $3 and spec <> '' order by key limit ${TASKS_SHOWN_MAX}` };

export class CockroachTaskReader extends TaskReader {
  readonly #pool: CockroachPool;
  readonly #map: Pick<SliceMap, 'schedulerOf'>;

  constructor(pool: CockroachPool, map: Pick<SliceMap, 'schedulerOf'>) {
    super();
    this.#pool = pool;
    this.#map = map;
  }

  override async ofWorkflow(tenant: string, workflowId: string): Promise<readonly TaskView[]> {
    const { from, before } = taskKeysOf(tenant, workflowId);
    const rows = await this.#pool.read(OF_WORKFLOW, [this.#map.schedulerOf(tenant, workflowId), toKeyText(from), toKeyText(before)]);
    return toTaskViews(rows.map(toTaskRow), workflowId);
  }
}
