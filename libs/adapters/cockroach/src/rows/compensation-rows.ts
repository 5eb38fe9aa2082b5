import type { AuditEntry, CompensationChange, RollbackRow } from '@perdure/compensation';
import type { SliceName } from '@perdure/delivery';
import type { Query, Statement } from '../pool/statement.js';
import { bigint, InsertRows, json, text } from './insert-rows.js';
import { toKeyText } from './key-text.js';
import type { ServiceRows } from './service-rows.js';

/** Changes of one batch are fewer, so that an entry's number can be its batch's times this and its place. */
const ENTRIES_PER_BATCH = 2 ** 20;

const PUT_ROLLBACKS = new InsertRows<RollbackRow>({
  table: 'rollbacks',
  columns: [text('key', (row) => toKeyText(row.key)), bigint('ord', (row) => row.order), json('body', (row) => row)],
  onConflict: '(slice, key) do update set ord = excluded.ord, body = excluded.body',
});
const PUT_AUDIT = new InsertRows<AuditEntry & { readonly number: number }>({
  table: 'audit',
  columns: [
    text('entry_id', (entry) => toKeyText(entry.id)),
    bigint('number', (entry) => entry.number),
    text('tenant', (entry) => entry.run.tenant),
    text('workflow_id', (entry) => entry.run.workflowId),
    text('run_id', (entry) => entry.run.runId),
    bigint('at_ms', (entry) => entry.at),
    json('body', ({ number: _, ...entry }) => entry),
  ],
  // The same entry written again is the same entry.
  onConflict: '(slice, entry_id) do nothing',
});
const BLANK_ROLLBACKS = new InsertRows<string>({
  table: 'rollbacks',
  name: 'blank_rollbacks',
  columns: [text('key', toKeyText), bigint('ord', () => 0), text('body', () => '')],
  onConflict: "(slice, key) do update set body = ''",
});

function compensationQueries(slice: SliceName, changes: readonly CompensationChange[], batch: number): Query[] {
  const rollbacks = new Map<string, RollbackRow | undefined>();
  const entries: (AuditEntry & { readonly number: number })[] = [];
  for (const change of changes) {
    if (change.kind === 'putRollback') rollbacks.set(change.row.key, change.row);
    else if (change.kind === 'deleteRollback') rollbacks.set(change.key, undefined);
    else entries.push({ ...change.entry, number: batch * ENTRIES_PER_BATCH + entries.length });
  }
  return [
    ...BLANK_ROLLBACKS.queries(slice, [...rollbacks].flatMap(([key, row]) => (row ? [] : [key]))),
    ...PUT_ROLLBACKS.queries(slice, [...rollbacks.values()].filter((row) => row !== undefined)),
    ...PUT_AUDIT.queries(slice, entries),
  ];
}

export const COMPENSATION_ROWS: ServiceRows<readonly CompensationChange[]> = {
  queries: compensationQueries,
  sweeps: [{ name: 'sweep_rollbacks', text: "delete from rollbacks where slice = $1 and body = ''" }],
};

export const READ_ROLLBACKS: Statement = { name: 'read_rollbacks', text: "select body from rollbacks where slice = $1 and body <> '' order by ord" };
