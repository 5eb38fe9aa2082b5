import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle, type Bundle } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import type { Input, InputBody, TaskAnswer, TaskEnvelope } from '@perdure/contract';
import { EmbeddedShard } from '@perdure/embedded';
import { deriveRunId } from '@perdure/identity';
import { Sandbox } from '@perdure/sandbox';
import { MetaFile, ShardFile, SqliteBundleSource } from '@perdure/sqlite';
import { describeFindings } from './finding.js';
import { verifyFolder } from './verify-folder.js';

const SOURCE = `
import { activities, condition, continueAsNew, onUpdate, receive, saga, signal, nextSignal, sleep, startChild, upsertAttributes } from '@perdure/sdk/workflow';
const act = activities({ retry: { maxAttempts: 3, initialInterval: '1 minute' } });
const go = signal('go');
export async function works() { return [await act.quick(), await act.stays(), await act.quick()]; }
export async function retries() { return act.fails(); }
export async function sleeps() { upsertAttributes({ searchAttributes: { city: 'Oslo', tags: ['a', 'b', 'a'] } }); await act.quick(); await sleep('7 days'); }
export async function waits() { const first = await receive('scan', { match: { parcel: 'P1' } }); return [first, await receive('scan', { match: { parcel: 'P2' }, timeout: '7 days' })]; }
export async function undoes() { const undo = saga(); await undo.run(act.quick, 1, act.undoQuick); await undo.run(act.quick, 2, act.stays); await undo.compensate(); }
export async function undone() { const undo = saga(); await undo.run(act.quick, 1, act.stays); await act.stays(); }
export async function updates() { onUpdate('quickly', () => 'done'); onUpdate('slowly', () => act.stays()); await condition(() => false); }
export async function parents() { const child = await startChild(works, { workflowId: 'child' }); await act.quick(); return child.result(); }
export async function continues(n) { await act.quick(); return n < 2 ? continueAsNew(n + 1) : n; }
export async function signalled() { return nextSignal(go); }
`;

const KEY = new Uint8Array(32);

describe('verifyFolder', () => {
  let made: Bundle;
  let original: string;
  let folder: string;
  let clock: ManualClock;
  let shard: EmbeddedShard;
  let sent = 0;

  const open = async (): Promise<void> => {
    const meta = new MetaFile(join(folder, 'meta.db'));
    meta.secret('snapshot-key', () => KEY);
    meta.deploy('acme', { hash: made.hash, name: 'all', code: made.code, workflows: made.workflows, createdAt: 0 });
    const sandbox = await Sandbox.create({ snapshotKey: KEY, limits: { activationMs: 5_000 } });
    shard = await EmbeddedShard.open({ file: new ShardFile({ path: join(folder, 'shard-0.db') }), bundles: new SqliteBundleSource(meta), sandbox, clock, random: () => 0.5, snapshotKey: KEY, limits: { realmsMax: 4, snapshotEveryEvents: 2 } });
  };
  const send = async (workflowId: string, body: InputBody): Promise<void> => {
    await shard.append([{ id: `i${sent++}`, tenant: 'acme', workflowId, at: clock.now(), ...body } as Input]);
  };
  const start = (workflowType: string, input?: number): Promise<void> =>
    send(workflowType, { kind: 'start', workflowType, newRunId: deriveRunId({ tenant: 'acme', workflowId: workflowType, startId: 'start' }), bundle: made.hash, ...(input === undefined ? {} : { input }) });
  const scan = (id: string, parcel: string): Promise<unknown> => shard.publish([{ tenant: 'acme', source: 's', id, type: 'scan', time: 0, keys: { parcel } }]);
  const answerOf = ({ token, name }: TaskEnvelope): TaskAnswer[] => {
    if (name === 'stays') return [];
    return [name === 'fails' ? { token, kind: 'failed', error: { type: 'Error', message: 'no', retryable: true } } : { token, kind: 'completed', value: 1 }];
  };
  const work = async (): Promise<void> => {
    const holding: string[] = [];
    for (;;) {
      await shard.settled();
      const { tasks } = await shard.poll('acme', { worker: 'w', session: 's', queues: ['default'], slots: 100, holding, waitMs: 0 });
      const answers = tasks.flatMap(answerOf);
      holding.push(...tasks.filter(({ name }) => name === 'stays').map(({ token }) => token));
      if (answers.length === 0) return;
      await shard.answer('acme', answers);
    }
  };
  const verified = (all = false): Promise<Awaited<ReturnType<typeof verifyFolder>>> => verifyFolder(folder, all ? { snapshotEachStep: true, rerunInBatchesOf: [1, 7, 100] } : {});
  const change = (sql: string): void => {
    const db = new DatabaseSync(join(folder, 'shard-0.db'));
    expect(db.prepare(sql).run().changes).toBeGreaterThan(0);
    db.close();
  };

  beforeAll(async () => {
    made = await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    folder = original = mkdtempSync(join(tmpdir(), 'perdure-verify-'));
    clock = new ManualClock();
    await open();
    for (const type of ['works', 'retries', 'sleeps', 'waits', 'undoes', 'undone', 'updates', 'parents', 'signalled']) await start(type);
    await start('continues', 0);
    await scan('e0', 'P9');
    await scan('e1', 'P1');
    await work();
    await send('updates', { kind: 'update', name: 'quickly' });
    await send('updates', { kind: 'update', name: 'slowly' });
    await send('undone', { kind: 'terminate', compensate: true });
    await send('signalled', { kind: 'suspend' });
    await send('signalled', { kind: 'signal', name: 'go', input: 1 });
    await send('signalled', { kind: 'cancel' });
    await send('signalled', { kind: 'cancel' });
    await work();
    await shard.close();
  });
  afterAll(() => rmSync(original, { recursive: true }));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'perdure-verify-'));
    cpSync(original, folder, { recursive: true });
  });
  afterEach(async () => {
    await shard.close();
    rmSync(folder, { recursive: true });
  });

  it('finds nothing in a folder that is sound, each run restored after every step, and the log run again', async () => {
    const { findings, ...counts } = await verified(true);
    expect(describeFindings(findings)).toBe('');
    expect(counts).toMatchObject({ runs: 13, replays: 13, tasks: 6, timers: 2, waits: 1 });
    expect(counts.snapshots).toBeGreaterThan(3);
  });

  it('finds nothing while the shard goes on', async () => {
    await open();
    clock.advanceBy(8 * 86_400_000);
    await shard.settled();
    await work();
    expect(describeFindings((await verified()).findings)).toBe('');
  });

  it.each([
    ['an event that is gone', "delete from transition where run = (select number from run where workflow_id = 'parents' order by number limit 1) and last = 4", /history {2}acme\/parents\/.*event 3 is followed by event 5/],
    ['a changed result', "update transition set events = replace(events, '\"value\":1', '\"value\":2') where run = (select number from run where workflow_id = 'works' order by number limit 1) and last = 4", /rolling digest after event 4/],
    ['a changed command', "update transition set events = replace(events, '\"quick\"', '\"quack\"') where run = (select number from run where workflow_id = 'works' order by number limit 1) and last = 2", /replay .*\n.*quack/],
    ['a time that goes back', "update transition set at = at - 1 where run = (select number from run where workflow_id = 'works' order by number limit 1) and last = 4", /is of -?\d+, the one before it/],
    ['a wrong status', "update run set status = 'completed' where number = 1", /run {2}acme\/works.*the row shows/],
    ['a lost search attribute', "delete from run_attribute where key = 'city'", /run {2}acme\/sleeps.*attributes/],
    ['a lost task', "delete from task where key like '%/works/%'", /acme\/works\/.* awaits a task that is not there/],
    ['a task too many', "insert into task select key || '9', ord + 1000, replace(spec, '\"seq\":2', '\"seq\":99'), state from task where key like '%/works/%'", /#99: there is a task that its run does not await/],
    ['a task of other content', "update task set spec = replace(spec, '\"stays\"', '\"strays\"') where key like '%/works/%'", /the task is .*strays.* by history/],
    ['a lost timer', "delete from timer where key like '%/sleeps/%'", /awaits a timer/],
    ['a timer of another time', "update timer set due = due + 1 where key like '%/sleeps/%'", /the timer is .* by history/],
    ['a lost wait', 'delete from wait', /awaits a wait/],
    ['a lost rollback', "delete from rollback where body like '%undone%'", /awaits a rollback/],
    ['a lost undo task', "delete from task where key like '%/undo/%'", /there is no task for it/],
    ['a child that is gone', "update transition set events = replace(events, '\"kind\":\"started\"', '\"kind\":\"started\",\"x\":1'), digest = digest where run = (select number from run where workflow_id = 'child')", /history {2}acme\/child/],
    ['a lost input', "delete from input where workflow_id = 'updates' and outcome like '%updated%'", /it is in history, and not kept under its id/],
    ['an input accepted of which nothing is known', "insert into input select tenant, workflow_id, 'lost', at, run, content, '{\"kind\":\"accepted\",\"runId\":\"x\"}' from input where workflow_id = 'works'", /it was accepted, and is not in history/],
    ['an update that was told to have come to something else', "update input set outcome = replace(outcome, '\"done\"', '\"gone\"') where outcome like '%\"done\"%'", /its sender was told/],
    ['an event taken that lies there still', "update event set state = 'buffered' where id = 'e1'", /event .*it is buffered, and acme\/waits.*has taken it/],
    ['an event that an open wait would take', "update event set keys = replace(keys, 'P9', 'P2'), body = replace(body, 'P9', 'P2') where id = 'e0'", /event .*waits #2 waits for it/],
    ['a snapshot of a changed byte', "update snapshot set body = cast(substr(body, 1, 100) || x'00' || substr(body, 102) as blob)", /snapshot .*does not authenticate/],
    ['a snapshot of another moment', 'update snapshot set last = last - 1', /snapshot .*no such digest|snapshot .*authenticate/],
  ])('finds %s', async (_, sql, expected) => {
    change(sql);
    expect(await verified().then(({ findings }) => describeFindings(findings), (error: Error) => error.message)).toMatch(expected);
  });

  it('finds, running the log again, a step that does not follow from the steps before it', async () => {
    change(`update transition set events = replace(events, '"name":"quick"', '"name":"stays"') where run = (select number from run where workflow_id = 'works') and last = 2`);
    const { findings } = await verified(true);
    expect(describeFindings(findings.filter(({ check }) => check === 'rerun'))).toMatch(/acme\/works\/.*step 1 is another/);
  });
});
