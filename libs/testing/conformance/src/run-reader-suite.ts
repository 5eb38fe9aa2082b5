import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HistoryPage, InputOutcome, InputRef, RunPage, RunResult, RunView } from '@perdure/contract';
import type { BundleUse, HistoryCommit, RunRef, RunRow } from '@perdure/history';
import type { RunFilter } from '@perdure/ingestion';
import { READER_SLICES, type MadeReader } from './made-reader.js';
import { inputRow, keyOf, ODD_TEXTS, runRow, transitionRow } from './sample-rows.js';

/** What readers of committed runs give, those that must wait for it and those that need not. */
export interface CommittedReads {
  find(ref: RunRef): Awaitable<RunView | undefined>;
  result(ref: RunRef): Awaitable<RunResult | undefined>;
  outcome(ref: InputRef): Awaitable<InputOutcome | undefined>;
  history(ref: RunRef, page: { readonly after: number; readonly limit: number }): Awaitable<HistoryPage | undefined>;
  list(tenant: string, filter: RunFilter): Awaitable<RunPage>;
  bundleUse(tenant: string): Awaitable<readonly BundleUse[]>;
}
type Awaitable<T> = T | Promise<T>;

export type RunRows = Partial<Pick<HistoryCommit, 'runs' | 'transitions' | 'inputs'>>;

export interface MadeRuns extends MadeReader<CommittedReads, RunRows> {
  shardOf(tenant: string, workflowId: string): number;
}



/** The reader under test, and its runs numbered as their shards would. */
class Subject {
  readonly #made: MadeRuns;
  readonly #numbers = new Array<number>(READER_SLICES).fill(0);

  constructor(made: MadeRuns) {
    this.#made = made;
  }

  get reader(): CommittedReads {
    return this.#made.reader;
  }

  close(): Promise<void> {
    return this.#made.close();
  }

  /** The next run of its shard. */
  async start(workflowId: string, more: Partial<RunRow> = {}): Promise<RunRow> {
    const tenant = more.tenant ?? 't';
    const shard = this.#made.shardOf(tenant, workflowId);
    const row = runRow(++this.#numbers[shard]!, keyOf(workflowId, more.runId, tenant), more);
    await this.#made.write(shard, { runs: [row] });
    return row;
  }

  write({ tenant, workflowId }: RunRef, rows: RunRows): Promise<void> {
    return this.#made.write(this.#made.shardOf(tenant, workflowId), rows);
  }

  async listed(filter: Partial<RunFilter> = {}, tenant = 't'): Promise<string[]> {
    return (await this.reader.list(tenant, { limit: 100, ...filter })).runs.map(({ workflowId, runId }) => `${workflowId}/${runId}`);
  }

  /** Every page, and how long each was. */
  async paged(filter: Partial<RunFilter>): Promise<{ readonly all: string[]; readonly lengths: number[] }> {
    const [all, lengths]: [string[], number[]] = [[], []];
    for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
      const page: RunPage = await this.reader.list('t', { limit: 2, ...filter, ...(cursor === undefined ? {} : { cursor }) });
      all.push(...page.runs.map(({ workflowId, runId }) => `${workflowId}/${runId}`));
      lengths.push(page.runs.length);
      cursor = page.next;
    }
    return { all, lengths };
  }
}

/** What every adapter of the committed runs owes those who look at them. */
export function runReaderSuite(name: string, make: () => Promise<MadeRuns>): void {
  describe(`committed runs: ${name}`, () => {
    let subject: Subject;
    beforeEach(async () => {
      subject = new Subject(await make());
    });
    afterEach(() => subject.close());
    for (const part of [ofOneRun, ofHistory, ofOutcomes, ofLists, ofPages, ofBundles]) part(() => subject);
  });
}

function ofOneRun(subject: () => Subject): void {
  describe('of one run', () => {
    it('are all that its row shows, with every sort of text, and the number of its last event', async () => {
      const more: Partial<RunRow> = {
        closedAt: 9_000, status: 'continued', parent: { ...keyOf('p'), seq: 3, closePolicy: 'abandon' }, continuedFrom: 'r0', continuedTo: 'r2', trace: '00-a-b-01',
        memo: { odd: ODD_TEXTS }, searchAttributes: { odd: ODD_TEXTS, count: 3, late: false },
      };
      const { number, chain: _chain, pin, ...shown } = await subject().start(ODD_TEXTS.join(), more);
      await subject().write(shown, { transitions: [transitionRow(number, 2), transitionRow(number, 5)] });
      const { runId: _runId, ...newest } = keyOf(shown.workflowId);
      expect(JSON.parse(JSON.stringify(await subject().reader.find(newest)))).toEqual(JSON.parse(JSON.stringify({ ...shown, bundle: pin.bundle, events: 5 })));
    });

    it('are of the newest run of a workflow id, or of the one that is named, and of its tenant alone', async () => {
      await subject().start('a', { runId: 'r1' });
      await subject().start('a', { runId: 'r2' });
      await subject().start('a', { runId: 'r3', tenant: 'u' });
      const { reader } = subject();
      expect(await reader.find({ tenant: 't', workflowId: 'a' })).toMatchObject({ runId: 'r2', events: 0 });
      expect(await reader.find(keyOf('a', 'r1'))).toMatchObject({ runId: 'r1' });
      for (const unknown of [keyOf('a', 'r3'), keyOf('b', 'r1'), keyOf('a', 'r1', 'u')]) {
        expect(await reader.find(unknown)).toBeUndefined();
        expect(await reader.result(unknown)).toBeUndefined();
        expect(await reader.history(unknown, { after: 0, limit: 10 })).toBeUndefined();
      }
    });

    it('say why it is suspended', async () => {
      const suspended = { kind: 'operator', message: 'a look at it' } as const;
      await subject().start('a', { status: 'suspended', suspended });
      expect(await subject().reader.find(keyOf('a'))).toMatchObject({ status: 'suspended', suspended });
    });

    it('have its result once it has closed', async () => {
      const result: RunResult = { status: 'completed', runId: 'r1', result: { odd: ODD_TEXTS, none: null } };
      const row = await subject().start('a');
      expect(await subject().reader.result(keyOf('a'))).toEqual({ status: 'running', runId: 'r1' });
      await subject().write(row, { runs: [{ ...row, status: 'suspended' }] });
      expect(await subject().reader.result(keyOf('a'))).toEqual({ status: 'suspended', runId: 'r1' });
      await subject().write(row, { runs: [{ ...row, status: 'completed', closedAt: 5_000, result }] });
      expect(await subject().reader.result(keyOf('a'))).toEqual(result);
      expect(await subject().reader.result({ tenant: 't', workflowId: 'a' })).toEqual(result);
      expect(await subject().reader.find(keyOf('a'))).toMatchObject({ status: 'completed', closedAt: 5_000 });
    });

    it('have the result of the newest run, though an older one has closed', async () => {
      await subject().start('a', { runId: 'r1', status: 'continued', closedAt: 5, result: { status: 'continued', runId: 'r1', nextRunId: 'r2' } });
      await subject().start('a', { runId: 'r2' });
      expect(await subject().reader.result({ tenant: 't', workflowId: 'a' })).toEqual({ status: 'running', runId: 'r2' });
      expect(await subject().reader.result(keyOf('a', 'r1'))).toEqual({ status: 'continued', runId: 'r1', nextRunId: 'r2' });
    });
  });
}

const fired = (seq: number): unknown => ({ kind: 'timerFired', seq });

function ofHistory(subject: () => Subject): void {
  describe('of a history', () => {
    /** Events 1 2 · 3 · 4 5 6, the last three of another bundle. */
    const threeTransitions = async (): Promise<void> => {
      const { number, ...ref } = await subject().start('a');
      await subject().write(ref, { transitions: [
        transitionRow(number, 2, { events: JSON.stringify([fired(1), fired(2)]) }),
        transitionRow(number, 3, { events: JSON.stringify([fired(3)]) }),
        transitionRow(number, 6, { bundle: 'b2', events: JSON.stringify([fired(4), fired(5), fired(6)]) }),
      ] });
      // The neighbour's events are nobody else's.
      const neighbour = await subject().start('b');
      await subject().write(neighbour, { transitions: [transitionRow(neighbour.number, 1)] });
    };
    const numbers = (page: HistoryPage | undefined): readonly number[] | undefined => page?.events.map(({ n }) => n);

    it('are its events in order, each with its number, time and bundle', async () => {
      await threeTransitions();
      const page = (await subject().reader.history(keyOf('a'), { after: 0, limit: 10 }))!;
      expect(page.run).toMatchObject({ workflowId: 'a', events: 6 });
      expect(page).not.toHaveProperty('next');
      expect(page.events.map(({ n, at, bundle, ...body }) => [n, at, bundle, body])).toEqual(
        [[1, 1_002, 'b1'], [2, 1_002, 'b1'], [3, 1_003, 'b1'], [4, 1_006, 'b2'], [5, 1_006, 'b2'], [6, 1_006, 'b2']].map(([n, ...rest]) => [n, ...rest, fired(n as number)]),
      );
    });

    it('come in pages that begin and end within a transition too', async () => {
      await threeTransitions();
      const { reader } = subject();
      for (const limit of [1, 2, 4, 5]) {
        const all: number[] = [];
        for (let after: number | undefined = 0; after !== undefined; ) {
          const page: HistoryPage = (await reader.history(keyOf('a'), { after, limit }))!;
          expect(page.events.length).toBeLessThanOrEqual(limit);
          all.push(...numbers(page)!);
          after = page.next;
        }
        expect(all).toEqual([1, 2, 3, 4, 5, 6]);
      }
      expect(await reader.history(keyOf('a'), { after: 4, limit: 1 })).toMatchObject({ events: [{ n: 5 }], next: 5 });
      expect(numbers(await reader.history(keyOf('a'), { after: 6, limit: 1 }))).toEqual([]);
    });
  });
}

function ofOutcomes(subject: () => Subject): void {
  it('know what became of an input, by tenant, workflow id and its own id', async () => {
    const { number, ...ref } = await subject().start('a');
    const refused: InputOutcome = { kind: 'refused', problem: { code: 'run-closed', detail: ODD_TEXTS.join() } };
    await subject().write(ref, { inputs: [inputRow('a', 'start', { run: number }), inputRow('a', 'signal/x', { outcome: refused })] });
    const { reader } = subject();
    expect(await reader.outcome({ tenant: 't', workflowId: 'a', inputId: 'start' })).toEqual({ kind: 'accepted', runId: 'r1' });
    expect(await reader.outcome({ tenant: 't', workflowId: 'a', inputId: 'signal/x' })).toEqual(refused);
    for (const unknown of [{ tenant: 'u', workflowId: 'a', inputId: 'start' }, { tenant: 't', workflowId: 'b', inputId: 'start' }, { tenant: 't', workflowId: 'a', inputId: 'x' }]) {
      expect(await reader.outcome(unknown)).toBeUndefined();
    }
    const updated: InputOutcome = { kind: 'accepted', runId: 'r2' };
    await subject().write(ref, { inputs: [inputRow('a', 'start', { run: number, outcome: updated })] });
    expect(await reader.outcome({ tenant: 't', workflowId: 'a', inputId: 'start' })).toEqual(updated);
  });
}

function ofLists(subject: () => Subject): void {
  describe('in a list', () => {
    it('come newest first, over all shards, a tenant\'s alone', async () => {
      for (const [index, id] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) await subject().start(id, { startedAt: 1_000 + index });
      await subject().start('x', { tenant: 'u', startedAt: 1_003 });
      expect(await subject().listed()).toEqual(['f/r1', 'e/r1', 'd/r1', 'c/r1', 'b/r1', 'a/r1']);
      expect(await subject().listed({}, 'u')).toEqual(['x/r1']);
      expect(await subject().listed({}, 'nobody')).toEqual([]);
    });

    it('show what a look at one shows', async () => {
      const { number, ...ref } = await subject().start('a', { memo: { odd: ODD_TEXTS } });
      await subject().write(ref, { transitions: [transitionRow(number, 1), transitionRow(number, 4)] });
      expect((await subject().reader.list('t', { limit: 1 })).runs).toEqual([await subject().reader.find(ref)]);
    });

    it('are chosen by status, type, workflow id and attributes, and by all that is asked at once', async () => {
      await subject().start('a', { startedAt: 1, searchAttributes: { city: 'Ulm', count: 1, tags: ['red', 'blue'] } });
      await subject().start('b', { startedAt: 2, workflowType: 'refund', status: 'completed', closedAt: 9, searchAttributes: { city: 'Ulm', count: 2, late: true } });
      await subject().start('c', { startedAt: 3, status: 'completed', closedAt: 9, searchAttributes: { city: '1', tags: ['red'] } });
      await subject().start('a', { startedAt: 4, runId: 'r2', status: 'failed', closedAt: 9 });
      const expected: [Partial<RunFilter>, string[]][] = [
        [{ status: 'completed' }, ['c/r1', 'b/r1']],
        [{ workflowType: 'refund' }, ['b/r1']],
        [{ workflowId: 'a' }, ['a/r2', 'a/r1']],
        [{ workflowId: 'a', status: 'running' }, ['a/r1']],
        [{ attributes: { city: 'Ulm' } }, ['b/r1', 'a/r1']],
        [{ attributes: { city: 'Ulm', count: 2 } }, ['b/r1']],
        [{ attributes: { city: 1 } }, []],
        [{ attributes: { count: '1' } }, []],
        [{ attributes: { late: true } }, ['b/r1']],
        [{ attributes: { tags: 'red' } }, ['c/r1', 'a/r1']],
        [{ attributes: { tags: 'red' }, status: 'completed' }, ['c/r1']],
        [{ attributes: { city: 'Ulm' }, workflowType: 'order', workflowId: 'a', status: 'running' }, ['a/r1']],
      ];
      for (const [filter, runs] of expected) expect([filter, await subject().listed(filter)]).toEqual([filter, runs]);
    });

    it('are found by the attributes that they have now', async () => {
      const row = await subject().start('a', { searchAttributes: { city: 'Ulm' } });
      await subject().write(row, { runs: [{ ...row, searchAttributes: { city: 'Bonn' } }] });
      expect(await subject().listed({ attributes: { city: 'Ulm' } })).toEqual([]);
      expect(await subject().listed({ attributes: { city: 'Bonn' } })).toEqual(['a/r1']);
    });
  });
}

function ofPages(subject: () => Subject): void {
  describe('in pages', () => {
    const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

    it.each([1, 2, 3, 7])('of %d are each there once, in the order of the whole list, though some started at one moment', async (limit) => {
      for (const [index, id] of IDS.entries()) await subject().start(id, { startedAt: 1_000 + Math.floor(index / 3) });
      const whole = await subject().listed();
      const { all, lengths } = await subject().paged({ limit });
      expect(all).toEqual(whole);
      expect(new Set(all).size).toBe(IDS.length);
      expect(lengths.slice(0, -1).every((length) => length === limit)).toBe(true);
      expect(lengths.at(-1)).toBeGreaterThan(0);
    });

    it('go on behind what was given, though new runs have started', async () => {
      for (const [index, id] of IDS.entries()) await subject().start(id, { startedAt: 1_000 + index });
      const first = await subject().reader.list('t', { limit: 3 });
      for (let count = 0; count < 3 * READER_SLICES; count++) await subject().start(`new-${count}`, { startedAt: 2_000 });
      const second = await subject().reader.list('t', { limit: 3, cursor: first.next! });
      expect([...first.runs, ...second.runs].map(({ workflowId }) => workflowId)).toEqual(['g', 'f', 'e', 'd', 'c', 'b']);
    });

    it('have nothing of a shard in which the first run starts meanwhile', async () => {
      const [first, ...others] = IDS;
      for (const startedAt of [1_000, 1_001]) await subject().start(first!, { startedAt, runId: `r${startedAt}` });
      const page = await subject().reader.list('t', { limit: 1 });
      for (const id of others) await subject().start(id, { startedAt: 2_000 });
      expect((await subject().reader.list('t', { limit: 9, cursor: page.next! })).runs).toMatchObject([{ workflowId: first, runId: 'r1000' }]);
    });

    it('are of what is asked for', async () => {
      for (const [index, id] of IDS.entries()) await subject().start(id, { startedAt: 1_000 + index, ...(index % 2 === 0 ? { searchAttributes: { even: true } } : { status: 'failed', closedAt: 9 }) });
      expect((await subject().paged({ attributes: { even: true }, limit: 1 })).all).toEqual(['g/r1', 'e/r1', 'c/r1', 'a/r1']);
      expect((await subject().paged({ status: 'failed', limit: 2 })).all).toEqual(['f/r1', 'd/r1', 'b/r1']);
    });

    it.each(['x', '', '1.2.3.4.5.6.7', '-5'])('cannot begin at %j', async (cursor) => {
      await subject().start('a');
      await expect((async () => subject().reader.list('t', { limit: 1, cursor }))()).rejects.toMatchObject({ code: 'invalid-request' });
    });
  });
}

function ofBundles(subject: () => Subject): void {
  it('count the open runs of each bundle and know its newest, over all shards', async () => {
    const on = (bundle: string): Pick<RunRow, 'pin'> => ({ pin: { bundle, abi: 1, sandbox: 's1' } });
    await subject().start('a', { ...on('b1'), startedAt: 30 });
    await subject().start('b', { ...on('b1'), startedAt: 10 });
    await subject().start('c', { ...on('b1'), startedAt: 20, status: 'completed', closedAt: 40 });
    await subject().start('d', { ...on('b2'), startedAt: 5, status: 'failed', closedAt: 40 });
    await subject().start('e', { ...on('b2'), startedAt: 50, tenant: 'u' });
    const sorted = async (tenant: string): Promise<BundleUse[]> => [...(await subject().reader.bundleUse(tenant))].map((use) => ({ ...use })).sort((a, b) => a.bundle.localeCompare(b.bundle));
    expect(await sorted('t')).toEqual([{ bundle: 'b1', open: 2, newest: 30 }, { bundle: 'b2', open: 0, newest: 5 }]);
    expect(await sorted('u')).toEqual([{ bundle: 'b2', open: 1, newest: 50 }]);
    expect(await sorted('nobody')).toEqual([]);
  });
}
