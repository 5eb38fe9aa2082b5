import { hash } from 'node:crypto';
import type { Attributes, RunResult, RunStatus, Scalar } from '@perdure/contract';
import type { RunRow } from '@perdure/history';

/** A row of table `runs`, without its slice and slot. */
export interface RunRecord {
  readonly number: number;
  readonly tenant: string;
  readonly workflow_id: string;
  readonly run_id: string;
  readonly type: string;
  readonly status: string;
  readonly started_at: number;
  readonly closed_at: number | null;
  readonly result: string | null;
  readonly body: string;
}

export const RUN_COLUMNS = 'number, tenant, workflow_id, run_id, type, status, started_at, closed_at, result, body';

/** What the columns do not hold. */
type RunBody = Omit<RunRow, 'number' | 'tenant' | 'workflowId' | 'runId' | 'workflowType' | 'status' | 'startedAt' | 'closedAt' | 'result'>;

export function toRunRow({ number, tenant, workflow_id, run_id, type, status, started_at, closed_at, result, body }: RunRecord): RunRow {
  return {
    ...(JSON.parse(body) as RunBody),
    number, tenant,
    workflowId: workflow_id, runId: run_id, workflowType: type, status: status as RunStatus, startedAt: started_at,
    ...(closed_at === null ? {} : { closedAt: closed_at }),
    ...(result === null ? {} : { result: JSON.parse(result) as RunResult }),
  };
}

export function bodyOf({ number: _number, tenant: _tenant, workflowId: _workflowId, runId: _runId, workflowType: _type, status: _status, startedAt: _startedAt, closedAt: _closedAt, result: _result, ...body }: RunRow): RunBody {
  return body;
}

/** Characters of a hash: enough that nobody finds two pairs with the same one. */
const HASH_CHARS = 40;

/** What a pair of search attribute and value is indexed as. A value may be longer than an index takes, so it is its hash. */
export const attributeHash = (tenant: string, key: string, value: Scalar): string => hash('sha256', JSON.stringify([tenant, key, value])).slice(0, HASH_CHARS);

/** Of a list each member, once; `undefined` for none. */
export function attributeHashes(tenant: string, attributes: Attributes['searchAttributes']): string[] | undefined {
  const hashes = new Set<string>();
  for (const [key, value] of Object.entries(attributes ?? {})) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as Scalar]) hashes.add(attributeHash(tenant, key, one));
  }
  return hashes.size === 0 ? undefined : [...hashes];
}
