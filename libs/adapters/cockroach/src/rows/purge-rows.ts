import type { SliceName } from '@perdure/delivery';
import { int8s, texts } from '../pool/arrays.js';
import type { Query, Statement } from '../pool/statement.js';

export interface PurgedRun {
  readonly number: number;
  readonly tenant: string;
  readonly workflow_id: string;
  readonly run_id: string;
}

export interface LoneInput {
  readonly tenant: string;
  readonly workflow_id: string;
  readonly input_id: string;
}

export const FIND_CLOSED: Statement = { name: 'find_closed_runs', text: 'select number, tenant, workflow_id, run_id from runs where slice = $1 and closed_at < $2 order by closed_at, number limit $3' };
export const FIND_LONE_INPUTS: Statement = { name: 'find_lone_inputs', text: 'select tenant, workflow_id, input_id from inputs where slice = $1 and run is null and at_ms < $2 order by at_ms limit $3' };

const BY_RUN: readonly Statement[] = [
  { name: 'purge_transitions', text: 'delete from transitions where slice = $1 and run = any($2::bigint[])' },
  { name: 'purge_snapshots', text: 'delete from snapshots where slice = $1 and run = any($2::bigint[])' },
  { name: 'purge_run_attributes', text: 'delete from run_attributes where slice = $1 and number = any($2::bigint[])' },
  { name: 'purge_runs', text: 'delete from runs where slice = $1 and number = any($2::bigint[])' },
];
/** A workflow id that has another run by now keeps its input ids. */
const PURGE_INPUTS: Statement = {
  name: 'purge_inputs',
  text: 'delete from inputs where slice = $1 and tenant = $2 and workflow_id = $3 and not exists (select 1 from runs where runs.slice = $1 and runs.tenant = $2 and runs.workflow_id = $3)',
};
/** What compensation has written about a run lasts as long as the run. */
const PURGE_AUDIT: Statement = { name: 'purge_audit', text: 'delete from audit where tenant = $1 and workflow_id = $2 and run_id = any($3::text[])' };
const PURGE_LONE_INPUTS: Statement = { name: 'purge_lone_inputs', text: 'delete from inputs where slice = $1 and tenant = $2 and workflow_id = $3 and input_id = any($4::text[]) and run is null' };

/** What goes with these runs, which have closed for good. */
export function purgeRunsQueries(slice: SliceName, runs: readonly PurgedRun[]): Query[] {
  const numbers = int8s(runs.map(({ number }) => number));
  return [
    ...BY_RUN.map((statement) => ({ statement, values: [slice, numbers] })),
    ...byWorkflow(runs).flatMap(([{ tenant, workflow_id }, ofWorkflow]) => [
      { statement: PURGE_INPUTS, values: [slice, tenant, workflow_id] },
      { statement: PURGE_AUDIT, values: [tenant, workflow_id, texts(ofWorkflow.map(({ run_id }) => run_id))] },
    ]),
  ];
}

export const purgeInputsQueries = (slice: SliceName, inputs: readonly LoneInput[]): Query[] =>
  byWorkflow(inputs).map(([{ tenant, workflow_id }, ofWorkflow]) => ({ statement: PURGE_LONE_INPUTS, values: [slice, tenant, workflow_id, texts(ofWorkflow.map(({ input_id }) => input_id))] }));

function byWorkflow<R extends { readonly tenant: string; readonly workflow_id: string }>(rows: readonly R[]): [R, R[]][] {
  const groups = new Map<string, [R, R[]]>();
  for (const row of rows) {
    const id = JSON.stringify([row.tenant, row.workflow_id]);
    const group = groups.get(id);
    if (group) group[1].push(row);
    else groups.set(id, [row, [row]]);
  }
  return [...groups.values()];
}
