/**
 * Definitions, in the order of their versions. Each statement may be run again where it was run before: CockroachDB has no transaction
 * around definitions to lean on, and two processes may start at once.
 *
 * Every row is keyed by its slice first: a slice's rows lie together, the slices' lie apart, and no key rises for all of them. Times are
 * epoch milliseconds; `body` and its like are JSON as text, for `jsonb` has no U+0000 and would not give back the same text.
 */
export interface Migration {
  readonly version: number;
  readonly statements: readonly string[];
}

/** Delivery's rows: the slice itself, what it sends and what it has received. */
const DELIVERY = [
  `create table if not exists slices (
    slice text not null,
    epoch bigint not null,
    cursor bigint not null,
    is_clean boolean not null,
    log_identity text,
    log_offset bigint,
    log_last_id text,
    primary key (slice)
  )`,
  'create table if not exists outbox (slice text not null, destination text not null, number bigint not null, body text not null, primary key (slice, destination, number))',
  'create table if not exists last_numbers (slice text not null, destination text not null, number bigint not null, primary key (slice, destination))',
  'create table if not exists marks (slice text not null, source text not null, mark bigint not null, seen text not null, primary key (slice, source))',
  'create table if not exists tombstones (slice text not null, source text not null, number bigint not null, key text not null, body text not null, primary key (slice, source, number))',
  'create table if not exists tries (slice text not null, work text not null, epoch bigint not null, primary key (slice, work, epoch))',
];

/** `attributes`: a hash for each pair of search attribute and value (`attributeHashes`), none: null. */
const HISTORY = [
  `create table if not exists runs (
    slice text not null,
    number bigint not null,
    slot bigint not null,
    tenant text not null,
    workflow_id text not null,
    run_id text not null,
    type text not null,
    status text not null,
    bundle text not null,
    started_at bigint not null,
    closed_at bigint,
    attributes text[],
    result text,
    body text not null,
    primary key (slice, number)
  )`,
  'create index if not exists runs_by_id on runs (slice, tenant, workflow_id, number)',
  'create index if not exists runs_listed on runs (slice, tenant, number)',
  'create index if not exists runs_by_status on runs (slice, tenant, status, number)',
  'create index if not exists runs_by_type on runs (slice, tenant, type, number)',
  'create index if not exists runs_by_bundle on runs (slice, tenant, bundle, status, started_at)',
  'create index if not exists runs_closed on runs (slice, closed_at) where closed_at is not null',
  'create index if not exists runs_by_attribute on runs using gin (attributes) where attributes is not null',
  `create table if not exists transitions (
    slice text not null,
    run bigint not null,
    last_event bigint not null,
    at_ms bigint not null,
    bundle text not null,
    input_id text not null,
    digest bytea not null,
    events text not null,
    primary key (slice, run, last_event)
  )`,
  `create table if not exists inputs (
    slice text not null,
    tenant text not null,
    workflow_id text not null,
    input_id text not null,
    at_ms bigint not null,
    run bigint,
    content text not null,
    outcome text not null,
    primary key (slice, tenant, workflow_id, input_id)
  )`,
  'create index if not exists inputs_without_run on inputs (slice, at_ms) where run is null',
  'create table if not exists snapshots (slice text not null, run bigint not null, last_event bigint not null, digest bytea not null, pin text not null, body bytea not null, primary key (slice, run))',
];

const SCHEDULER = [
  'create table if not exists tasks (slice text not null, key text not null, ord bigint not null, spec text not null, state text not null, primary key (slice, key))',
  'create table if not exists timers (slice text not null, key text not null, due_at bigint not null, body text not null, primary key (slice, key))',
];

/** A spent event keeps its identity, without its body, until its dedupe window ends. */
const CORRELATION = [
  'create table if not exists waits (slice text not null, key text not null, ord bigint not null, tenant text not null, workflow_id text not null, body text not null, primary key (slice, key))',
  'create index if not exists waits_by_workflow on waits (tenant, workflow_id)',
  `create table if not exists events (
    slice text not null,
    arrival bigint not null,
    arrived_at bigint not null,
    tenant text not null,
    source text not null,
    event_id text not null,
    type text not null,
    keys text not null,
    state text not null,
    body text,
    primary key (slice, arrival)
  )`,
  'create unique index if not exists events_by_identity on events (slice, tenant, source, event_id)',
  'create index if not exists events_by_age on events (slice, arrived_at)',
];

/** `number` rises per slice, in the order of the commits. */
const COMPENSATION = [
  'create table if not exists rollbacks (slice text not null, key text not null, ord bigint not null, body text not null, primary key (slice, key))',
  `create table if not exists audit (
    slice text not null,
    entry_id text not null,
    number bigint not null,
    tenant text not null,
    workflow_id text not null,
    run_id text not null,
    at_ms bigint not null,
    body text not null,
    primary key (slice, entry_id)
  )`,
  'create index if not exists audit_by_number on audit (slice, tenant, number)',
  'create index if not exists audit_by_run on audit (tenant, workflow_id, run_id)',
];

/** What all services share. */
const BUNDLES = [
  `create table if not exists bundles (
    tenant text not null,
    hash text not null,
    name text not null,
    code text not null,
    source_map text,
    workflows text not null,
    bytes bigint not null,
    created_at bigint not null,
    primary key (tenant, hash)
  )`,
  'create table if not exists bundle_defaults (tenant text not null, type text not null, hash text not null, primary key (tenant, type))',
];

/**
 * By which a list goes from the newest run of an attribute to the older ones; an inverted index has them in no order. A row that the run
 * has no longer stays until the run goes: a batch puts rows and deletes none (`ServiceRows`), and who lists asks the run itself.
 */
const ATTRIBUTES_IN_ORDER = [
  'create table if not exists run_attributes (slice text not null, attribute text not null, number bigint not null, primary key (slice, attribute, number))',
  'create index if not exists run_attributes_by_run on run_attributes (slice, number)',
  'insert into run_attributes (slice, attribute, number) select slice, unnest(attributes), number from runs where attributes is not null on conflict (slice, attribute, number) do nothing',
  'drop index if exists runs_by_attribute',
];

/** What all nodes must say alike, for ever (`agree`). */
const AGREED = ['create table if not exists agreed (name text not null, value text not null, primary key (name))'];

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, statements: [...DELIVERY, ...HISTORY, ...SCHEDULER, ...CORRELATION, ...COMPENSATION, ...BUNDLES] },
  { version: 2, statements: ATTRIBUTES_IN_ORDER },
  { version: 3, statements: AGREED },
];
