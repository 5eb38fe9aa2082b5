import { isClosed, runKeyOf, type EventBody } from '@perdure/contract';
import type { StoredTransition } from '@perdure/history';
import { contentsOf, type ShardContents } from '@perdure/sqlite';
import type { EmbeddedDisk } from './embedded-file.js';
import { toRunHistory, type Evidence, type Leftover, type RunHistory } from './evidence.js';

/** What the file of an embedded shard holds. */
export class EmbeddedEvidence implements Evidence {
  readonly #disk: EmbeddedDisk;
  readonly damaged = new Set<string>();

  constructor(disk: EmbeddedDisk) {
    this.#disk = disk;
  }

  async runs(): Promise<readonly RunHistory[]> {
    const { runs, transitions } = contentsOf(this.#disk.db);
    return runs.map((row) => toRunHistory(row, transitions.filter(({ run }) => run === row.number).map(toStored)));
  }

  async eventIds(): Promise<ReadonlySet<string>> {
    return new Set(contentsOf(this.#disk.db).events.map(({ event }) => event.id));
  }

  async leftovers(): Promise<readonly Leftover[]> {
    const contents = contentsOf(this.#disk.db);
    const { tasks, timers, waits, events, rollbacks, inbox } = contents;
    return [
      ...events.filter(({ state }) => state === 'offered').map(({ event }) => ({ invariant: '§12', what: `event ${event.id} is offered to a run that does not answer` })),
      ...waits.map(({ run, seq }) => ({ invariant: 'I4', what: `${run.workflowId} still has wait ${seq}` })),
      ...tasks.map(({ key, state }) => ({ invariant: 'I8', what: `task ${key} has not closed (attempt ${state.attempt})` })),
      ...timers.map(({ key }) => ({ invariant: 'I4', what: `timer ${key} is still set` })),
      ...rollbacks.filter(({ endedAt }) => endedAt === undefined).map(({ request }) => ({ invariant: 'I4', what: `the rollback of ${request.run.workflowId} has not ended` })),
      ...inbox.map(({ id }) => ({ invariant: 'I2', what: `input ${id} was never taken` })),
      ...openRuns(contents),
    ];
  }
}

function openRuns({ runs, tasks, timers, waits }: ShardContents): Leftover[] {
  const kept = new Set([...tasks.map(({ spec }) => spec.run), ...timers.map(({ run }) => run), ...waits.map(({ run }) => run)].map(runKeyOf));
  return runs.filter(({ status }) => !isClosed(status)).map((row) => ({ invariant: kept.has(runKeyOf(row)) ? 'stuck' : 'I4', what: `${row.workflowId} is still ${row.status}` }));
}

const toStored = ({ last, at, bundle, inputId, events, digest }: ShardContents['transitions'][number]): StoredTransition => {
  const bodies = JSON.parse(events) as EventBody[];
  return { first: last - bodies.length + 1, at, bundle, inputId, events: bodies, digest };
};
