import type { MarkRow, OutboxRow, SliceCommit, SliceName, TombstoneRow } from '@perdure/delivery';
import { int8s, texts } from '../pool/arrays.js';
import type { Query, Row, Statement } from '../pool/statement.js';
import { bigint, InsertRows, json, text } from './insert-rows.js';
import { fromKeyText, toKeyText } from './key-text.js';

const PUT_OUTBOX = new InsertRows<OutboxRow>({
  table: 'outbox',
  columns: [text('destination', (row) => row.destination), bigint('number', (row) => row.number), json('body', (row) => row.body)],
  onConflict: '(slice, destination, number) do update set body = excluded.body',
});
/** Blanked (`ServiceRows`). */
const CONFIRM_OUTBOX = new InsertRows<Pick<OutboxRow, 'destination' | 'number'>>({
  table: 'outbox',
  name: 'confirm_outbox',
  columns: [text('destination', (row) => row.destination), bigint('number', (row) => row.number), text('body', () => '')],
  onConflict: "(slice, destination, number) do update set body = ''",
});
const PUT_LAST_NUMBERS = new InsertRows<readonly [destination: string, number: number]>({
  table: 'last_numbers',
  columns: [text('destination', ([destination]) => destination), bigint('number', ([, number]) => number)],
  onConflict: '(slice, destination) do update set number = greatest(last_numbers.number, excluded.number)',
});
const PUT_MARKS = new InsertRows<MarkRow>({
  table: 'marks',
  columns: [text('source', (row) => row.source), bigint('mark', (row) => row.mark), json('seen', (row) => row.seen)],
  onConflict: '(slice, source) do update set mark = excluded.mark, seen = excluded.seen',
});
const PUT_TOMBSTONES = new InsertRows<TombstoneRow>({
  table: 'tombstones',
  columns: [text('source', (row) => row.source), bigint('number', (row) => row.number), text('key', (row) => toKeyText(row.key)), json('body', (row) => row.body)],
  onConflict: '(slice, source, number) do update set key = excluded.key, body = excluded.body',
});
const DROP_TOMBSTONES: Statement = { name: 'drop_tombstones', text: 'delete from tombstones where slice = $1 and source = $2 and number = any($3::bigint[])' };
const DROP_TRIES: Statement = { name: 'drop_tries', text: 'delete from tries where slice = $1 and work = any($2::text[])' };

/** Delivery's own rows of a batch. */
export function deliveryQueries(slice: SliceName, { outbox, intake, triesDropped }: Pick<SliceCommit<unknown>, 'outbox' | 'intake' | 'triesDropped'>): Query[] {
  const last = new Map<string, number>();
  for (const { destination, number } of outbox.put) last.set(destination, Math.max(last.get(destination) ?? 0, number));
  return [
    ...CONFIRM_OUTBOX.queries(slice, outbox.confirmed),
    ...PUT_OUTBOX.queries(slice, outbox.put),
    ...PUT_LAST_NUMBERS.queries(slice, [...last]),
    ...PUT_MARKS.queries(slice, intake.marks),
    ...numbersBy(intake.tombstones.dropped, ({ source }) => source).map(([source, numbers]) => ({ statement: DROP_TOMBSTONES, values: [slice, source, int8s(numbers)] })),
    ...PUT_TOMBSTONES.queries(slice, intake.tombstones.put),
    ...(triesDropped.length === 0 ? [] : [{ statement: DROP_TRIES, values: [slice, texts(triesDropped)] }]),
  ];
}

function numbersBy<R extends { readonly number: number }>(rows: readonly R[], of: (row: R) => string): [string, number[]][] {
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    const group = groups.get(of(row));
    if (group) group.push(row.number);
    else groups.set(of(row), [row.number]);
  }
  return [...groups];
}

export const SWEEP_OUTBOX: Statement = { name: 'sweep_outbox', text: "delete from outbox where slice = $1 and body = ''" };

const READ_OUTBOX: Statement = { name: 'read_outbox', text: "select destination, number, body from outbox where slice = $1 and body <> '' order by destination, number" };
const READ_LAST_NUMBERS: Statement = { name: 'read_last_numbers', text: 'select destination, number from last_numbers where slice = $1' };
const READ_MARKS: Statement = { name: 'read_marks', text: 'select source, mark, seen from marks where slice = $1' };
const READ_TOMBSTONES: Statement = { name: 'read_tombstones', text: 'select source, number, key, body from tombstones where slice = $1 order by source, number' };

const READ_TRIED: Statement = { name: 'read_tried', text: 'select distinct work from tries where slice = $1' };

export const deliveryReads = (slice: SliceName): Query[] => [READ_OUTBOX, READ_LAST_NUMBERS, READ_MARKS, READ_TOMBSTONES, READ_TRIED].map((statement) => ({ statement, values: [slice] }));

interface DeliveryRows {
  readonly outbox: readonly OutboxRow[];
  readonly lastNumbers: Readonly<Record<string, number>>;
  readonly marks: readonly MarkRow[];
  readonly tombstones: readonly TombstoneRow[];
  readonly tried: readonly string[];
}

/** Of what `deliveryReads` gave. */
export function toDeliveryRows([outbox, lastNumbers, marks, tombstones, tried]: readonly (readonly Row[])[]): DeliveryRows {
  return {
    outbox: (outbox as unknown as { destination: SliceName; number: number; body: string }[]).map((row) => ({ ...row, body: JSON.parse(row.body) as OutboxRow['body'] })),
    lastNumbers: Object.fromEntries((lastNumbers as unknown as { destination: string; number: number }[]).map(({ destination, number }) => [destination, number])),
    marks: (marks as unknown as { source: SliceName; mark: number; seen: string }[]).map((row) => ({ ...row, seen: JSON.parse(row.seen) as number[] })),
    tombstones: (tombstones as unknown as { source: SliceName; number: number; key: string; body: string }[]).map((row) => ({ ...row, key: fromKeyText(row.key), body: JSON.parse(row.body) as TombstoneRow['body'] })),
    tried: (tried as unknown as { work: string }[]).map(({ work }) => work),
  };
}
