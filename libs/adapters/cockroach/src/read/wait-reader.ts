import { WaitReader, type WaitRow, type WaitView } from '@perdure/correlation';
import type { CockroachPool } from '../pool/cockroach-pool.js';
import type { Statement } from '../pool/statement.js';

/** A run's waits lie with the events that they are for, so on any slice. One that is blank is deleted (`ServiceRows`). */
const OF_WORKFLOW: Statement = { name: 'view_waits', text: "select body from waits where tenant = $1 and workflow_id = $2 and body <> ''" };

export class CockroachWaitReader extends WaitReader {
  readonly #pool: CockroachPool;

  constructor(pool: CockroachPool) {
    super();
    this.#pool = pool;
  }

  /** The oldest first. */
  override async ofWorkflow(tenant: string, workflowId: string): Promise<readonly WaitView[]> {
    const rows = await this.#pool.read(OF_WORKFLOW, [tenant, workflowId]);
    return rows
      .map(({ body }) => JSON.parse(body as string) as WaitRow)
      .filter(({ closed }) => !closed)
      .map(({ run, seq, wait, openedAt }) => ({ run, seq, wait, openedAt }))
      .sort((a, b) => a.openedAt - b.openedAt || a.seq - b.seq);
  }
}
