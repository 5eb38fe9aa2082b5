import { isClosed, runKeyOf, type EventBody } from '@perdure/contract';
import type { StoredTransition } from '@perdure/history';
import { contentsOf, type ShardContents } from '@perdure/sqlite';
import type { EmbeddedDisk } from './embedded-file.js';
import { toRunHistory, type Evidence, type Leftover, type RunHistory } from './evidence.js';

/** As `leftIn` and `openRuns` have it. */
const AT_REST = `select not (
  exists (select 1 from run where closed_at is null) or exists (select 1 from task) or exists (select 1 from timer) or exists (select 1 from wait)
  or exists (select 1 from event where state = 'offered') or exists (select 1 from rollback where body ->> '$.endedAt' is null) or exists (select 1 from inbox)
) as rest`;

/** What the files of an embedded server's shards hold. */
export class EmbeddedEvidence implements Evidence {
  readonly #disks: readonly EmbeddedDisk[];
  readonly damaged = new Set<string>();

  constructor(disks: readonly EmbeddedDisk[]) {
    this.#disks = disks;
  }

  async runs(): Promise<readonly RunHistory[]> {
    return this.#disks.flatMap(({ db }) => {
      const { runs, transitions } = contentsOf(db);
      return runs.map((row) => toRunHistory(row, transitions.filter(({ run }) => run === row.number).map(toStored)));
    });
  }

  async eventIds(): Promise<ReadonlySet<string>> {
    return new Set(this.#disks.flatMap(({ db }) => contentsOf(db).events.map(({ event }) => `${event.tenant}/${event.id}`)));
  }

  async isAtRest(): Promise<boolean> {
    return this.#disks.every(({ db }) => (db.prepare(AT_REST).get() as { readonly rest: number }).rest === 1);
  }

  async leftovers(): Promise<readonly Leftover[]> {
    const all = this.#disks.map(({ db }) => contentsOf(db));
    return [...all.flatMap(leftIn), ...openRuns(all)];
  }
}

function leftIn({ tasks, timers, waits, events, rollbacks, inbox }: ShardContents): Leftover[] {
  return [
    ...events.filter(({ state }) => state === 'offered').map(({ event }) => ({ invariant: '§12', what: `event ${event.id} is offered to a run that does not answer` })),
    ...waits.map(({ run, seq }) => ({ invariant: 'I4', what: `${run.workflowId} still has wait ${seq}` })),
    ...tasks.map(({ key, state }) => ({ invariant: 'I8', what: `task ${key} has not closed (attempt ${state.attempt})` })),
    ...timers.map(({ key }) => ({ invariant: 'I4', what: `timer ${key} is still set` })),
    ...rollbacks.filter(({ endedAt }) => endedAt === undefined).map(({ request }) => ({ invariant: 'I4', what: `the rollback of ${request.run.workflowId} has not ended` })),
    ...inbox.map(({ id }) => ({ invariant: 'I2', what: `input ${id} was never taken` })),
  ];
}

/** A wait may be in another shard than its run. */
function openRuns(all: readonly ShardContents[]): Leftover[] {
  const kept = new Set(all.flatMap(({ tasks, timers, waits }) => [...tasks.map(({ spec }) => spec.run), ...timers.map(({ run }) => run), ...waits.map(({ run }) => run)].map(runKeyOf)));
  return all.flatMap(({ runs }) => runs).filter(({ status }) => !isClosed(status)).map((row) => ({ invariant: kept.has(runKeyOf(row)) ? 'stuck' : 'I4', what: `${row.workflowId} is still ${row.status}` }));
}

const toStored = ({ last, at, bundle, inputId, events, digest }: ShardContents['transitions'][number]): StoredTransition => {
  const bodies = JSON.parse(events) as EventBody[];
  return { first: last - bodies.length + 1, at, bundle, inputId, events: bodies, digest };
};
