import type { Schema } from './open-database.js';

/** `run` changes only when what it shows does. */
const HISTORY = `
create table shard (
  id integer primary key check (id = 1),
  shard integer not null,
  epoch integer not null,
  cursor integer not null
);
create table bundle_name (id integer primary key, hash text not null unique);
create table run (
  number integer primary key,
  tenant text not null,
  workflow_id text not null,
  run_id text not null,
  type text not null,
  status text not null,
  bundle text not null,
  started_at integer not null,
  closed_at integer,
  body text not null
);
create unique index run_by_id on run (tenant, workflow_id, number);
create index run_open on run (tenant, number) where closed_at is null;
create index run_closed on run (closed_at) where closed_at is not null;
create index run_listed on run (tenant, number);
create table run_attribute (run integer not null, key text not null, value text not null, primary key (run, key, value)) without rowid;
create index run_attribute_by_value on run_attribute (key, value, run);
create table transition (
  run integer not null,
  last integer not null,
  at integer not null,
  bundle integer not null,
  input_id text not null,
  digest blob not null,
  events text not null,
  primary key (run, last)
) without rowid;
create table input (
  tenant text not null,
  workflow_id text not null,
  id text not null,
  at integer not null,
  run integer,
  content text not null,
  outcome text not null,
  primary key (tenant, workflow_id, id)
) without rowid;
create index input_without_run on input (at) where run is null;
create table snapshot (run integer primary key, last integer not null, digest blob not null, pin text not null, body blob not null);
`;

/** Tasks and timers: a row while the thing is pending. */
const SCHEDULER = `
create table task (key text primary key, ord integer not null, spec text not null, state text not null) without rowid;
create table timer (key text primary key, due integer not null, body text not null) without rowid;
`;

/** A spent event keeps its identity, without its body, until its dedupe window ends. */
const CORRELATION = `
create table wait (key text primary key, ord integer not null, tenant text not null, workflow_id text not null, body text not null) without rowid;
create index wait_by_workflow on wait (tenant, workflow_id);
create table event (
  arrival integer primary key,
  arrived_at integer not null,
  tenant text not null,
  source text not null,
  id text not null,
  type text not null,
  keys text not null,
  state text not null,
  body text
);
create unique index event_by_identity on event (tenant, source, id);
create index event_by_age on event (arrived_at);
`;

const COMPENSATION = `
create table rollback (key text primary key, ord integer not null, body text not null) without rowid;
create table audit (number integer primary key, id text not null unique, tenant text not null, workflow_id text not null, body text not null);
create index audit_by_workflow on audit (tenant, workflow_id, number);
`;

/**
 * Transitions in the order of their commits: a batch's rows lie on a few pages, however many runs it touched. A page costs far more than
 * a row, for it is copied, summed and written whole; only the small entries of the index lie scattered.
 */
const TRANSITIONS_IN_ORDER = `
create table transition_in_order (
  id integer primary key,
  run integer not null,
  last integer not null,
  at integer not null,
  bundle integer not null,
  input_id text not null,
  digest blob not null,
  events text not null
);
insert into transition_in_order (run, last, at, bundle, input_id, digest, events) select * from transition order by run, last;
drop table transition;
alter table transition_in_order rename to transition;
create unique index transition_by_run on transition (run, last);
drop index run_open;
`;

/**
 * What a shard keeps for its next batch, what it has sent other shards and taken of them, and which inputs may have killed a process. Earlier releases made these
 * tables beside the schema, as they came to need them.
 */
const BATCHES = `
create table if not exists inbox (number integer primary key, body text not null);
create table if not exists peer_outbox (destination text not null, number integer not null, body text not null, primary key (destination, number)) without rowid;
create table if not exists peer_last (destination text primary key, number integer not null) without rowid;
create table if not exists peer_mark (source text primary key, mark integer not null, seen text not null) without rowid;
create table if not exists input_try (input text primary key, processes integer not null, epoch integer not null) without rowid;
drop table if exists process_end;
`;

export const SHARD_SCHEMA: Schema = { name: 'shard', migrations: [HISTORY, SCHEDULER, CORRELATION, COMPENSATION, TRANSITIONS_IN_ORDER, BATCHES] };
