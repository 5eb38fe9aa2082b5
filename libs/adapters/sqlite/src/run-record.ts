import type { Attributes, RunStatus, Scalar } from '@perdure/contract';
import type { RunRow } from '@perdure/history';

/** A row of table `run`. */
export interface RunRecord {
  number: number;
  tenant: string;
  workflow_id: string;
  run_id: string;
  type: string;
  status: string;
  bundle: string;
  started_at: number;
  closed_at: number | null;
  body: string;
}

/** What the columns do not hold. */
type RunBody = Omit<RunRow, 'number' | 'tenant' | 'workflowId' | 'runId' | 'workflowType' | 'status' | 'startedAt' | 'closedAt'>;

export function toRunRow(record: RunRecord): RunRow {
  return {
    ...(JSON.parse(record.body) as RunBody),
    number: record.number,
    tenant: record.tenant,
    workflowId: record.workflow_id,
    runId: record.run_id,
    workflowType: record.type,
    status: record.status as RunStatus,
    startedAt: record.started_at,
    ...(record.closed_at !== null && { closedAt: record.closed_at }),
  };
}

export const attributeText = (value: Scalar): string => JSON.stringify(value);

/** The search attributes as rows: of a list each member, once. */
export function* attributePairs(attributes: Attributes['searchAttributes']): Generator<[key: string, value: string]> {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as Scalar]) yield [key, attributeText(one)];
  }
}
