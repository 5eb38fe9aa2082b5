import type { SliceName } from '@perdure/delivery';
import type { SchedulerChange, TaskRow, TaskState, TimerRow } from '@perdure/scheduler';
import { texts } from '../pool/arrays.js';
import type { Query, Row, Statement } from '../pool/statement.js';
import { Folded } from './folded.js';
import { bigint, InsertRows, json, overKeys, text } from './insert-rows.js';
import { fromKeyText, toKeyText } from './key-text.js';

const PUT_TASKS = new InsertRows<TaskRow>({
  table: 'tasks',
  columns: [text('key', (row) => toKeyText(row.key)), bigint('ord', (row) => row.order), json('spec', (row) => row.spec), json('state', (row) => row.state)],
});
const PUT_TIMERS = new InsertRows<TimerRow>({
  table: 'timers',
  columns: [text('key', (row) => toKeyText(row.key)), bigint('due_at', (row) => row.dueMs), json('body', ({ run, seq }) => ({ run, seq }))],
  onConflict: '(slice, key) do update set due_at = excluded.due_at, body = excluded.body',
});
const DELETE_TASKS: Statement = { name: 'delete_tasks', text: 'delete from tasks where slice = $1 and key = any($2::text[])' };
const DELETE_TIMERS: Statement = { name: 'delete_timers', text: 'delete from timers where slice = $1 and key = any($2::text[])' };
/** Without a join, whose plan might read the whole slice: each row is found by its key, and its state by the key's place. */
const UPDATE_TASKS: Statement = { name: 'update_tasks', text: 'update tasks set state = ($3::text[])[array_position($2::text[], key)] where slice = $1 and key = any($2::text[])' };

export function schedulerQueries(slice: SliceName, changes: readonly SchedulerChange[]): Query[] {
  const tasks = new Folded<TaskRow, TaskState>((row, state) => ({ ...row, state }));
  const timers = new Map<string, TimerRow | undefined>();
  for (const change of changes) {
    if (change.kind === 'putTask') tasks.put(change.row.key, change.row);
    else if (change.kind === 'updateTask') tasks.update(change.key, change.state);
    else if (change.kind === 'deleteTask') tasks.delete(change.key);
    else if (change.kind === 'putTimer') timers.set(change.row.key, change.row);
    else timers.set(change.key, undefined);
  }
  const stopped = [...timers].filter(([, row]) => row === undefined).map(([key]) => key);
  const keys = (list: readonly string[]): Query['values'] => [slice, texts(list.map(toKeyText))];
  return [
    ...overKeys(DELETE_TASKS, tasks.deletes, keys),
    ...PUT_TASKS.queries(slice, tasks.puts),
    ...overKeys(UPDATE_TASKS, tasks.updates, (list) => [...keys(list.map(([key]) => key)), texts(list.map(([, state]) => JSON.stringify(state)))]),
    ...overKeys(DELETE_TIMERS, stopped, keys),
    ...PUT_TIMERS.queries(slice, [...timers.values()].filter((row) => row !== undefined)),
  ];
}

export const READ_TASKS: Statement = { name: 'read_tasks', text: 'select key, ord, spec, state from tasks where slice = $1 order by ord' };
export const READ_TIMERS: Statement = { name: 'read_timers', text: 'select key, due_at, body from timers where slice = $1' };

export function toTaskRow(row: Row): TaskRow {
  const { key, ord, spec, state } = row as { key: string; ord: number; spec: string; state: string };
  return { key: fromKeyText(key), order: ord, spec: JSON.parse(spec) as TaskRow['spec'], state: JSON.parse(state) as TaskState };
}

export function toTimerRow(row: Row): TimerRow {
  const { key, due_at, body } = row as { key: string; due_at: number; body: string };
  return { key: fromKeyText(key), dueMs: due_at, ...(JSON.parse(body) as Pick<TimerRow, 'run' | 'seq'>) };
}
