import type { CorrelationChange, EventHead, EventState, StoredEvent, WaitRow } from '@perdure/correlation';
import type { SliceName } from '@perdure/delivery';
import type { Query, Row, Statement } from '../pool/statement.js';
import { Folded } from './folded.js';
import { bigint, InsertRows, json, text } from './insert-rows.js';
import { toKeyText } from './key-text.js';
import type { ServiceRows } from './service-rows.js';

/** `event: null`: only its identity is kept. */
type EventRow = Omit<StoredEvent, 'event'> & { readonly identity: StoredEvent['event']; readonly event: StoredEvent['event'] | null };

const PUT_WAITS = new InsertRows<WaitRow>({
  table: 'waits',
  columns: [text('key', (row) => toKeyText(row.key)), bigint('ord', (row) => row.order), text('tenant', (row) => row.run.tenant), text('workflow_id', (row) => row.run.workflowId), json('body', (row) => row)],
  onConflict: '(slice, key) do update set ord = excluded.ord, body = excluded.body',
});
const BLANK_WAITS = new InsertRows<string>({
  table: 'waits',
  name: 'blank_waits',
  columns: [text('key', toKeyText), bigint('ord', () => 0), text('tenant', () => ''), text('workflow_id', () => ''), text('body', () => '')],
  onConflict: "(slice, key) do update set body = ''",
});
const PUT_EVENTS = new InsertRows<EventRow>({
  table: 'events',
  columns: [
    bigint('arrival', (row) => row.arrival),
    bigint('arrived_at', (row) => row.arrivedAt),
    text('tenant', (row) => row.tenant),
    text('source', (row) => row.identity.source),
    text('event_id', (row) => row.identity.id),
    text('type', (row) => row.type),
    json('keys', (row) => row.keys),
    text('state', (row) => row.state),
    text('body', (row) => row.event && JSON.stringify(row.event)),
  ],
});
/** Of an event that is there; where none is, it leaves a blank one, whose identity no event has. */
const markEvents = (state: EventState, change: string): InsertRows<string> =>
  new InsertRows<string>({
    table: 'events',
    name: `mark_${state}`,
    columns: [
      bigint('arrival', Number),
      bigint('arrived_at', () => 0),
      text('tenant', () => ''),
      text('source', () => ''),
      text('event_id', (arrival) => arrival),
      text('type', () => ''),
      text('keys', () => ''),
      text('state', () => 'blank'),
    ],
    onConflict: `(slice, arrival) do update set ${change}`,
  });
const MARKS = [
  ['buffered', markEvents('buffered', "state = 'buffered'")],
  ['offered', markEvents('offered', "state = 'offered'")],
  ['spent', markEvents('spent', "state = 'spent', body = null")],
] as const;
const SWEEP_EVENTS: Statement = { name: 'sweep_events', text: "delete from events where slice = $1 and ((state = 'buffered' and arrived_at < $2) or (state = 'spent' and arrived_at < $3))" };

/** A sweep sees what is before it and not what is behind: changes are folded between sweeps. */
function correlationQueries(slice: SliceName, changes: readonly CorrelationChange[]): Query[] {
  const queries: Query[] = [];
  let waits = new Folded<WaitRow, never>((row) => row);
  let events = new Folded<EventRow, EventState>(marked);
  const flush = (): void => {
    queries.push(...waitQueries(slice, waits), ...eventQueries(slice, events));
    waits = new Folded<WaitRow, never>((row) => row);
    events = new Folded<EventRow, EventState>(marked);
  };
  for (const change of changes) {
    if (change.kind === 'putWait') waits.put(change.row.key, change.row);
    else if (change.kind === 'deleteWait') waits.delete(change.key);
    else if (change.kind === 'putEvent') events.put(String(change.row.arrival), { ...change.row, identity: change.row.event });
    else if (change.kind === 'markEvent') events.update(String(change.arrival), change.state);
    else {
      flush();
      queries.push({ statement: SWEEP_EVENTS, values: [slice, change.bufferedBeforeMs, change.spentBeforeMs] });
    }
  }
  flush();
  return queries;
}

const marked = (row: EventRow, state: EventState): EventRow => ({ ...row, state, event: state === 'spent' ? null : row.event });

const waitQueries = (slice: SliceName, waits: Folded<WaitRow, never>): Query[] => [
  ...BLANK_WAITS.queries(slice, waits.deletes),
  ...PUT_WAITS.queries(slice, waits.puts),
];

const eventQueries = (slice: SliceName, events: Folded<EventRow, EventState>): Query[] => [
  ...PUT_EVENTS.queries(slice, events.puts),
  ...MARKS.flatMap(([state, marks]) => marks.queries(slice, events.updates.flatMap(([arrival, now]) => (now === state ? [arrival] : [])))),
];

export const CORRELATION_ROWS: ServiceRows<readonly CorrelationChange[]> = {
  queries: correlationQueries,
  sweeps: [
    { name: 'sweep_waits', text: "delete from waits where slice = $1 and body = ''" },
    { name: 'sweep_blank_events', text: "delete from events where slice = $1 and state = 'blank'" },
  ],
};

export const READ_WAITS: Statement = { name: 'read_waits', text: "select body from waits where slice = $1 and body <> '' order by ord" };
export const READ_HEADS: Statement = { name: 'read_heads', text: "select arrival, arrived_at, tenant, type, keys, state from events where slice = $1 and state in ('buffered', 'offered') order by arrival" };
export const READ_LAST_ARRIVAL: Statement = { name: 'read_last_arrival', text: 'select coalesce(max(arrival), 0) as last from events where slice = $1' };
export const FIND_EVENT: Statement = { name: 'find_event', text: 'select body from events where slice = $1 and arrival = $2' };
export const IS_KNOWN: Statement = { name: 'is_known_event', text: 'select 1 as known from events where slice = $1 and tenant = $2 and source = $3 and event_id = $4' };

export function toEventHead(row: Row): EventHead & { readonly offered: boolean } {
  const { arrival, arrived_at, tenant, type, keys, state } = row as { arrival: number; arrived_at: number; tenant: string; type: string; keys: string; state: string };
  return { arrival, arrivedAt: arrived_at, tenant, type, keys: JSON.parse(keys) as EventHead['keys'], offered: state === 'offered' };
}
