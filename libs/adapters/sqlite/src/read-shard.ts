import type { AuditEntry, RollbackRow } from '@perdure/compensation';
import type { Effect, ExternalEvent, Input, InputOutcome, Pin } from '@perdure/contract';
import type { EventState, StoredEvent, WaitRow } from '@perdure/correlation';
import type { InputRow, RunRow, ShardHead, SnapshotRow, TransitionRow } from '@perdure/history';
import type { TaskRow, TimerRow } from '@perdure/scheduler';
import type { DatabaseSync } from 'node:sqlite';
import { openReader } from './open-database.js';
import { toRunRow, type RunRecord } from './run-record.js';

/** All that a shard's file holds, as the rows of its stores. */
export interface ShardContents {
  readonly head: ShardHead;
  readonly runs: readonly RunRow[];
  /** Search attributes as they are indexed: the value is JSON. */
  readonly attributes: readonly { readonly run: number; readonly key: string; readonly value: string }[];
  /** In the order of their commits. */
  readonly transitions: readonly TransitionRow[];
  readonly inputs: readonly InputRow[];
  readonly snapshots: readonly SnapshotRow[];
  readonly tasks: readonly TaskRow[];
  readonly timers: readonly TimerRow[];
  readonly waits: readonly WaitRow[];
  /** Of a spent one `event` is its identity alone. */
  readonly events: readonly StoredEvent[];
  readonly rollbacks: readonly RollbackRow[];
  readonly audit: readonly AuditEntry[];
  /** Inputs that a batch caused and left for the next. */
  readonly inbox: readonly Input[];
  /** Effects for other shards that the sender has no word of, and what this one has taken of others. */
  readonly sent: readonly SentEffect[];
  readonly taken: readonly { readonly source: string; readonly mark: number; readonly seen: readonly number[] }[];
}

export interface SentEffect {
  readonly destination: string;
  readonly number: number;
  readonly effect: Extract<Effect, { to: 'history' | 'correlation' }>;
}

/** Reads a whole shard as of one moment, over a connection of its own that can change nothing; its server may be running. */
export function readShard(path: string): ShardContents {
  const db = openReader(path);
  try {
    db.exec('begin');
    return contentsOf(db);
  } finally {
    db.close();
  }
}

/** The same, of a connection that is open. */
export function contentsOf(db: Pick<DatabaseSync, 'prepare'>): ShardContents {
  const all = <T>(sql: string): T[] => db.prepare(sql).all() as unknown as T[];
  const ifThere = <T>(table: string, sql: string): T[] => (hasTable(db, table) ? all<T>(sql) : []);
  return {
    head: { ...(all<ShardHead>('select epoch, cursor, (select coalesce(max(number), 0) from run) as lastRunNumber from shard')[0] ?? { epoch: 0, cursor: 0, lastRunNumber: 0 }) },
    runs: all<RunRecord>('select * from run order by number').map(toRunRow),
    attributes: all<{ run: number; key: string; value: string }>('select run, key, value from run_attribute order by run, key, value').map((row) => ({ ...row })),
    transitions: all<TransitionRow>('select run, last, at, hash as bundle, input_id as inputId, events, digest from transition join bundle_name on bundle_name.id = bundle order by transition.id').map((row) => ({ ...row })),
    inputs: all<InputRecord>('select * from input').map(toInputRow),
    snapshots: all<Omit<SnapshotRow, 'pin'> & { pin: string }>('select * from snapshot').map((row) => ({ ...row, pin: JSON.parse(row.pin) as Pin })),
    tasks: all<{ key: string; ord: number; spec: string; state: string }>('select * from task order by ord').map(({ key, ord, spec, state }) => ({ key, order: ord, spec: JSON.parse(spec) as TaskRow['spec'], state: JSON.parse(state) as TaskRow['state'] })),
    timers: all<{ key: string; due: number; body: string }>('select * from timer order by key').map(({ key, due, body }) => ({ key, dueMs: due, ...(JSON.parse(body) as Pick<TimerRow, 'run' | 'seq'>) })),
    waits: all<{ body: string }>('select body from wait order by ord').map(({ body }) => JSON.parse(body) as WaitRow),
    events: all<EventRecord>('select * from event order by arrival').map(toStoredEvent),
    rollbacks: all<{ body: string }>('select body from rollback order by ord').map(({ body }) => JSON.parse(body) as RollbackRow),
    audit: all<{ body: string }>('select body from audit order by number').map(({ body }) => JSON.parse(body) as AuditEntry),
    inbox: ifThere<{ body: string }>('inbox', 'select body from inbox order by number').map(({ body }) => JSON.parse(body) as Input),
    sent: ifThere<{ destination: string; number: number; body: string }>('peer_outbox', 'select * from peer_outbox order by destination, number').map(({ body, ...row }) => ({ ...row, effect: JSON.parse(body) as SentEffect['effect'] })),
    taken: ifThere<{ source: string; mark: number; seen: string }>('peer_mark', 'select * from peer_mark').map(({ source, mark, seen }) => ({ source, mark, seen: JSON.parse(seen) as number[] })),
  };
}

interface InputRecord {
  tenant: string;
  workflow_id: string;
  id: string;
  at: number;
  run: number | null;
  content: string;
  outcome: string;
}

const toInputRow = ({ tenant, workflow_id, id, at, run, content, outcome }: InputRecord): InputRow => ({ tenant, workflowId: workflow_id, inputId: id, at, content, outcome: JSON.parse(outcome) as InputOutcome, ...(run !== null && { run }) });

interface EventRecord {
  arrival: number;
  arrived_at: number;
  tenant: string;
  source: string;
  id: string;
  type: string;
  keys: string;
  state: string;
  body: string | null;
}

const toStoredEvent = ({ arrival, arrived_at, tenant, source, id, type, keys, state, body }: EventRecord): StoredEvent => ({
  arrival, arrivedAt: arrived_at, tenant, type, keys: JSON.parse(keys) as StoredEvent['keys'], state: state as EventState,
  event: body === null ? { tenant, source, id, type, time: 0, keys: {} } : (JSON.parse(body) as ExternalEvent),
});

const hasTable = (db: Pick<DatabaseSync, 'prepare'>, name: string): boolean => db.prepare("select 1 from sqlite_master where type = 'table' and name = ?").get(name) !== undefined;
