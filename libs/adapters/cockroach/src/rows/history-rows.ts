import type { SliceName } from '@perdure/delivery';
import type { HistoryCommit, InputRow, RunRow, SnapshotRow, TransitionRow } from '@perdure/history';
import { slotOf } from '@perdure/identity';
import type { Query } from '../pool/statement.js';
import { bundleGuard } from './bundle-guard.js';
import { bigint, bytea, InsertRows, json, list, text } from './insert-rows.js';
import { attributeHashes, bodyOf } from './run-record.js';
import type { ServiceRows } from './service-rows.js';

const NO_BYTES = new Uint8Array();

const PUT_RUNS = new InsertRows<RunRow>({
  table: 'runs',
  columns: [
    bigint('number', (row) => row.number),
    bigint('slot', (row) => slotOf(row.tenant, row.workflowId)),
    text('tenant', (row) => row.tenant),
    text('workflow_id', (row) => row.workflowId),
    text('run_id', (row) => row.runId),
    text('type', (row) => row.workflowType),
    text('status', (row) => row.status),
    text('bundle', (row) => row.pin.bundle),
    bigint('started_at', (row) => row.startedAt),
    bigint('closed_at', (row) => row.closedAt ?? null),
    list('attributes', (row) => attributeHashes(row.tenant, row.searchAttributes)?.join(',') ?? null),
    text('result', (row) => (row.result ? JSON.stringify(row.result) : null)),
    json('body', bodyOf),
  ],
  onConflict: '(slice, number) do update set status = excluded.status, bundle = excluded.bundle, closed_at = excluded.closed_at, attributes = excluded.attributes, result = excluded.result, body = excluded.body',
});

const PUT_RUN_ATTRIBUTES = new InsertRows<{ readonly number: number; readonly attribute: string }>({
  table: 'run_attributes',
  columns: [text('attribute', (row) => row.attribute), bigint('number', (row) => row.number)],
  onConflict: '(slice, attribute, number) do nothing',
});

const PUT_TRANSITIONS = new InsertRows<TransitionRow>({
  table: 'transitions',
  columns: [
    bigint('run', (row) => row.run),
    bigint('last_event', (row) => row.last),
    bigint('at_ms', (row) => row.at),
    text('bundle', (row) => row.bundle),
    text('input_id', (row) => row.inputId),
    bytea('digest', (row) => row.digest),
    text('events', (row) => row.events),
  ],
});

/** It keeps its first content and time. */
const PUT_INPUTS = new InsertRows<InputRow>({
  table: 'inputs',
  columns: [
    text('tenant', (row) => row.tenant),
    text('workflow_id', (row) => row.workflowId),
    text('input_id', (row) => row.inputId),
    bigint('at_ms', (row) => row.at),
    bigint('run', (row) => row.run ?? null),
    text('content', (row) => row.content),
    json('outcome', (row) => row.outcome),
  ],
  onConflict: '(slice, tenant, workflow_id, input_id) do update set run = excluded.run, outcome = excluded.outcome',
});

const PUT_SNAPSHOTS = new InsertRows<SnapshotRow>({
  table: 'snapshots',
  columns: [bigint('run', (row) => row.run), bigint('last_event', (row) => row.last), bytea('digest', (row) => row.digest), json('pin', (row) => row.pin), bytea('body', (row) => row.body)],
  onConflict: '(slice, run) do update set last_event = excluded.last_event, digest = excluded.digest, pin = excluded.pin, body = excluded.body',
});

const BLANK_SNAPSHOTS = new InsertRows<number>({
  table: 'snapshots',
  name: 'blank_snapshots',
  columns: [bigint('run', (run) => run), bigint('last_event', () => 0), bytea('digest', () => NO_BYTES), text('pin', () => ''), bytea('body', () => NO_BYTES)],
  onConflict: "(slice, run) do update set last_event = 0, digest = '', pin = '', body = ''",
});

const historyQueries = (slice: SliceName, { runs, transitions, inputs, snapshots, snapshotsDropped }: HistoryCommit): Query[] => [
  ...bundleGuard(runs),
  ...PUT_RUNS.queries(slice, runs),
  ...PUT_RUN_ATTRIBUTES.queries(slice, runs.flatMap(({ number, tenant, searchAttributes }) => (attributeHashes(tenant, searchAttributes) ?? []).map((attribute) => ({ number, attribute })))),
  ...PUT_TRANSITIONS.queries(slice, transitions),
  ...PUT_INPUTS.queries(slice, inputs),
  ...BLANK_SNAPSHOTS.queries(slice, snapshotsDropped),
  ...PUT_SNAPSHOTS.queries(slice, snapshots),
];

export const HISTORY_ROWS: ServiceRows<HistoryCommit> = {
  queries: historyQueries,
  sweeps: [{ name: 'sweep_snapshots', text: 'delete from snapshots where slice = $1 and last_event = 0' }],
};
