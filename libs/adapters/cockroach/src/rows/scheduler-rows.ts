import type { SliceName } from '@perdure/delivery';
import type { SchedulerChange, TaskRow, TaskState, TimerRow } from '@perdure/scheduler';
import type { Query, Row, Statement } from '../pool/statement.js';
import { Folded } from './folded.js';
import { bigint, InsertRows, json, text } from './insert-rows.js';
import { fromKeyText, toKeyText } from './key-text.js';
import type { ServiceRows } from './service-rows.js';

const PUT_TASKS = new InsertRows<TaskRow>({
  table: 'tasks',
  columns: [text('key', (row) => toKeyText(row.key)), bigint('ord', (row) => row.order), json('spec', (row) => row.spec), json('state', (row) => row.state)],
  onConflict: '(slice, key) do update set ord = excluded.ord, spec = excluded.spec, state = excluded.state',
});
const blankTask = { ord: bigint('ord', () => 0), spec: text('spec', () => ''), state: text('state', () => '') };
/** Of a task that is there; where none is, it leaves a blank one. */
const UPDATE_TASKS = new InsertRows<readonly [key: string, state: TaskState]>({
  table: 'tasks',
  name: 'update_tasks',
  columns: [text('key', ([key]) => toKeyText(key)), blankTask.ord, blankTask.spec, json('state', ([, state]) => state)],
  onConflict: '(slice, key) do update set state = excluded.state',
});
const BLANK_TASKS = new InsertRows<string>({
  table: 'tasks',
  name: 'blank_tasks',
  columns: [text('key', toKeyText), blankTask.ord, blankTask.spec, blankTask.state],
  onConflict: "(slice, key) do update set spec = '', state = ''",
});
const PUT_TIMERS = new InsertRows<TimerRow>({
  table: 'timers',
  columns: [text('key', (row) => toKeyText(row.key)), bigint('due_at', (row) => row.dueMs), json('body', ({ run, seq }) => ({ run, seq }))],
  onConflict: '(slice, key) do update set due_at = excluded.due_at, body = excluded.body',
});
const BLANK_TIMERS = new InsertRows<string>({
  table: 'timers',
  name: 'blank_timers',
  columns: [text('key', toKeyText), bigint('due_at', () => 0), text('body', () => '')],
  onConflict: "(slice, key) do update set body = ''",
});

function schedulerQueries(slice: SliceName, changes: readonly SchedulerChange[]): Query[] {
  const tasks = new Folded<TaskRow, TaskState>((row, state) => ({ ...row, state }));
  const timers = new Map<string, TimerRow | undefined>();
  for (const change of changes) {
    if (change.kind === 'putTask') tasks.put(change.row.key, change.row);
    else if (change.kind === 'updateTask') tasks.update(change.key, change.state);
    else if (change.kind === 'deleteTask') tasks.delete(change.key);
    else if (change.kind === 'putTimer') timers.set(change.row.key, change.row);
    else timers.set(change.key, undefined);
  }
  return [
    ...BLANK_TASKS.queries(slice, tasks.deletes),
    ...PUT_TASKS.queries(slice, tasks.puts),
    ...UPDATE_TASKS.queries(slice, tasks.updates),
    ...BLANK_TIMERS.queries(slice, [...timers].flatMap(([key, row]) => (row ? [] : [key]))),
    ...PUT_TIMERS.queries(slice, [...timers.values()].filter((row) => row !== undefined)),
  ];
}

export const SCHEDULER_ROWS: ServiceRows<readonly SchedulerChange[]> = {
  queries: schedulerQueries,
  sweeps: [
    { name: 'sweep_tasks', text: "delete from tasks where slice = $1 and spec = ''" },
    { name: 'sweep_timers', text: "delete from timers where slice = $1 and body = ''" },
  ],
};

export const READ_TASKS: Statement = { name: 'read_tasks', text: "select key, ord, spec, state from tasks where slice = $1 and spec <> '' order by ord" };
export const READ_TIMERS: Statement = { name: 'read_timers', text: "select key, due_at, body from timers where slice = $1 and body <> ''" };

export function toTaskRow(row: Row): TaskRow {
  const { key, ord, spec, state } = row as { key: string; ord: number; spec: string; state: string };
  return { key: fromKeyText(key), order: ord, spec: JSON.parse(spec) as TaskRow['spec'], state: JSON.parse(state) as TaskState };
}

export function toTimerRow(row: Row): TimerRow {
  const { key, due_at, body } = row as { key: string; due_at: number; body: string };
  return { key: fromKeyText(key), dueMs: due_at, ...(JSON.parse(body) as Pick<TimerRow, 'run' | 'seq'>) };
}
