import { isClosed, runKeyOf } from '@perdure/contract';
import { wholeLog, type LogRecord, type SliceName } from '@perdure/delivery';
import type { MemoryLog } from '@perdure/delivery/testing';
import type { Disk } from './disk.js';
import { toRunHistory, type Evidence, type Leftover, type RunHistory } from './evidence.js';

const ALL = 1_000_000;

/** What a slice says to a log comes in the order in which it was said; repeats apart. */
const overtaken = (records: readonly LogRecord[]): string[] => {
  const furthest = new Map<string, number>();
  const seen = new Set<string>();
  return records.flatMap(({ origin }) => {
    if (!origin) return [];
    const { source, number } = origin;
    const name = `${source}#${number}`;
    if (seen.has(name)) return [];
    seen.add(name);
    const before = furthest.get(source) ?? 0;
    furthest.set(source, Math.max(before, number));
    return number < before ? [`the log has ${name} behind number ${before}`] : [];
  });
};

/** What the stores of the mesh hold. */
export class MeshEvidence implements Evidence {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  get damaged(): ReadonlySet<string> {
    return this.#disk.damaged;
  }

  async runs(): Promise<readonly RunHistory[]> {
    const runs: RunHistory[] = [];
    for (const store of this.#disk.history.values()) for (const row of store.runs.values()) runs.push(toRunHistory(row, await store.transitions(row.number, { fromEvent: 1, limit: ALL })));
    return runs;
  }

  async eventIds(): Promise<ReadonlySet<string>> {
    return new Set([...this.#disk.correlation.values()].flatMap(({ events }) => [...events.rows.values()].map(({ event }) => `${event.tenant}/${event.id}`)));
  }

  async #isWhole(slice: SliceName, log: MemoryLog): Promise<boolean> {
    const ids: string[] = [];
    try {
      for await (const { id } of wholeLog({ slice, archive: this.#disk.archive, log })) ids.push(id);
    } catch {
      return false;
    }
    return ids.length === log.records.length && log.records.every(({ id }, index) => ids[index] === id);
  }

  async leftovers(): Promise<readonly Leftover[]> {
    const found = [...(await this.#pending())];
    for (const [slice, log] of this.#disk.logs) if (!(await this.#isWhole(slice, log))) found.push({ invariant: 'I1', what: `${slice}: its log and its archive have not all that was appended` });
    return found;
  }

  async #pending(): Promise<readonly Leftover[]> {
    const found: Leftover[] = [];
    const say = (invariant: string, what: string): void => void found.push({ invariant, what });
    for (const [slice, { outbox }] of this.#disk.stores) for (const { destination, number, body } of outbox.values()) say('I4', `${slice}: message ${number} to ${destination} (${'kind' in body ? body.kind : body.input.kind}) was never confirmed`);
    for (const [slice, { records }] of this.#disk.logs) {
      const unread = records.length - (this.#disk.stores.get(slice)!.log?.offset ?? 0);
      if (unread > 0) say('I2', `${slice}: ${unread} records of the log were never taken`);
      for (const what of overtaken(records)) say('I4', `${slice}: ${what}`);
    }
    for (const [slice, { events, waits }] of this.#disk.correlation) {
      for (const { state, event } of events.rows.values()) if (state === 'offered') say('§12', `${slice}: event ${event.id} is offered to a run that does not answer`);
      for (const { run, wait, seq } of waits.rows.values()) {
        const fits = [...events.rows.values()].find((row) => row.state === 'buffered' && row.type === wait.type && Object.entries(wait.match).every(([key, value]) => row.keys[key] === value));
        say(fits ? '§12' : 'I4', `${slice}: ${run.workflowId} still has wait ${seq}${fits ? ` though event ${fits.event.id} fits it` : ''}`);
      }
    }
    for (const [slice, { rows }] of this.#disk.tasks) for (const { key, state } of rows.values()) say('I8', `${slice}: task ${key} has not closed (attempt ${state.attempt})`);
    for (const [slice, { rows }] of this.#disk.timers) for (const { key } of rows.values()) say('I4', `${slice}: timer ${key} is still set`);
    for (const [slice, { rollbacks }] of this.#disk.sagas) for (const { request, endedAt } of rollbacks.values()) if (endedAt === undefined) say('I4', `${slice}: the rollback of ${request.run.workflowId} has not ended`);
    return [...found, ...this.#openRuns()];
  }

  async isAtRest(): Promise<boolean> {
    return (await this.#pending()).length === 0;
  }

  #openRuns(): Leftover[] {
    const kept = new Set<string>();
    for (const { rows } of this.#disk.tasks.values()) for (const { spec } of rows.values()) kept.add(runKeyOf(spec.run));
    for (const { rows } of this.#disk.timers.values()) for (const { run } of rows.values()) kept.add(runKeyOf(run));
    for (const { waits } of this.#disk.correlation.values()) for (const { run } of waits.rows.values()) kept.add(runKeyOf(run));
    return [...this.#disk.history.values()].flatMap(({ runs }) =>
      [...runs.values()].filter(({ status }) => !isClosed(status)).map((row) => ({ invariant: kept.has(runKeyOf(row)) ? 'stuck' : 'I4', what: `${row.workflowId} is still ${row.status}${row.suspended ? ` (${JSON.stringify(row.suspended)})` : ''}` })),
    );
  }
}
