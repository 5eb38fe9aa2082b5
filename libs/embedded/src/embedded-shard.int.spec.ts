import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle, type Bundle } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import type { Input, InputBody, InputOutcome, TaskAnswer, TaskEnvelope } from '@perdure/contract';
import type { BundleCode } from '@perdure/history';
import { OneBundle } from '@perdure/history/testing';
import { deriveRunId } from '@perdure/identity';
import { Sandbox } from '@perdure/sandbox';
import { ShardFile, SqliteAuditLog, SqliteRunReader } from '@perdure/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedShard } from './embedded-shard.js';

const SOURCE = `
import { activities, condition, continueAsNew, onQuery, onSignal, onUpdate, receive, runChild, saga, sleep, signal } from '@perdure/sdk/workflow';
const act = activities<Record<string, (input?: unknown) => Promise<number>>>({ retry: { maxAttempts: 2, initialInterval: '1s' } });
const untiring = activities<Record<string, () => Promise<number>>>();
export const hurry = signal<number>('hurry');

export async function five(start: number): Promise<number> {
  let total = start;
  for (let i = 0; i < 5; i++) total = await act.add!(total);
  return total;
}
export async function talk(): Promise<unknown> {
  let stage = 'new'; let added = 0;
  onQuery('stage', () => stage);
  onSignal(hurry, (n) => { stage = 'hurried ' + n; });
  onUpdate('add', async (n: number) => { added += await act.add!(n); return added; }, { validate: (n) => { if (n < 0) throw new Error('negative'); } });
  await condition(() => added > 10);
  return { stage, added };
}
export async function waits(): Promise<unknown> {
  const scan = await receive<{ at: string }>('scan', { match: { tracking: 'T1' }, timeout: '7 days' });
  await sleep('1h');
  return scan;
}
export async function undoing(): Promise<void> {
  const undo = saga();
  try { await undo.run(act.reserve!, 'r', act.release!); await undo.run(act.charge!, 'c', act.refund!); await act.fail!(); }
  catch (error) { await undo.compensate(); throw error; }
}
export async function parent(): Promise<number> { return (await runChild(five, { workflowId: 'child', input: 1 })) + 1; }
export async function counter(n: number): Promise<number> { if (n < 3) return continueAsNew<typeof counter>(n + 1); return n; }
export async function risky(): Promise<number> { return untiring.explode!(); }
export async function hog(): Promise<void> { for (;;); }
`;

/** A tenant alone may keep two. */
const EVENTS_MAX = 4;
const DAY_MS = 86_400_000;

/** Tells when the shard finds the bundle, and when it forgets it. */
class WatchedBundle extends OneBundle {
  onFind = (): void => undefined;
  onForget = (): void => undefined;

  override find(): Promise<BundleCode | undefined> {
    this.onFind();
    return super.find();
  }

  override forget(): void {
    this.onForget();
  }
}

describe('EmbeddedShard', () => {
  let made: Bundle;
  let folder: string;
  let clock: ManualClock;
  let shard: EmbeddedShard;
  let reader: SqliteRunReader;
  let audit: SqliteAuditLog;
  let sandbox: Sandbox;
  let source: WatchedBundle;
  let sent = 0;

  const open = async (): Promise<void> => {
    const file = new ShardFile({ path: join(folder, 'shard.db') });
    reader = new SqliteRunReader(file.db);
    audit = new SqliteAuditLog(file.db);
    sandbox = await Sandbox.create({ limits: { activationMs: 300 }, snapshotKey: new Uint8Array(32) });
    source = new WatchedBundle(made);
    shard = await EmbeddedShard.open({ file, bundles: source, sandbox, clock, random: () => 0.5, snapshotKey: new Uint8Array(32), eventsBufferedMax: EVENTS_MAX, limits: { realmsMax: 2, snapshotEveryEvents: 4 } });
  };
  const reopen = async (): Promise<void> => {
    await shard.close();
    await open();
  };
  const append = async (workflowId: string, body: InputBody, id = `i${sent++}`): Promise<InputOutcome> => {
    const input = { id, tenant: 'acme', workflowId, at: clock.now(), ...body } as Input;
    return (await shard.append([input]))[0]!;
  };
  const start = (workflowId: string, workflowType: string, input?: unknown): Promise<InputOutcome> =>
    append(workflowId, { kind: 'start', workflowType, newRunId: deriveRunId({ tenant: 'acme', workflowId, startId: 'start' }), bundle: made.hash, ...(input === undefined ? {} : { input: input as never }) }, 'start');
  /** Works as a worker would until nothing is left to do. */
  const work = async (perform: (task: TaskEnvelope) => TaskAnswer): Promise<string[]> => {
    const done: string[] = [];
    let holding: string[] = [];
    for (;;) {
      await shard.settled();
      const { tasks } = await shard.poll('acme', { worker: 'w', session: 's', queues: ['default'], slots: 100, holding, waitMs: 0 });
      if (tasks.length === 0) return done;
      holding = tasks.map(({ token }) => token);
      done.push(...tasks.map(({ name }) => name));
      await shard.answer('acme', tasks.map(perform));
      holding = [];
    }
  };
  const add = ({ token, input }: TaskEnvelope): TaskAnswer => ({ token, kind: 'completed', value: Number(input ?? 0) + 1 });
  const result = (workflowId: string): unknown => reader.result({ tenant: 'acme', workflowId });

  beforeEach(async () => {
    made ??= await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    folder = await mkdtemp(join(tmpdir(), 'perdure-'));
    clock = new ManualClock();
    await open();
  });
  afterEach(async () => {
    await shard.close();
    await rm(folder, { recursive: true });
  });

  it('answers each of those that come at once under one id as its content deserves', async () => {
    await start('w', 'talk');
    const hurry = (n: number): Promise<InputOutcome> => append('w', { kind: 'signal', name: 'hurry', input: n }, 'same');
    const told = await Promise.all([hurry(1), hurry(2), hurry(1), hurry(2)]);
    expect(told.map((outcome) => (outcome.kind === 'refused' ? outcome.problem.code : outcome.kind))).toEqual(['accepted', 'input-id-reused', 'accepted', 'input-id-reused']);
    const again = await Promise.all([hurry(2), hurry(1)]);
    expect(again.map(({ kind }) => kind)).toEqual(['refused', 'accepted']);
  });

  it('forgets a bundle when what had found it is committed', async () => {
    let forgotten: Promise<void> | undefined;
    let committed: unknown = 'not asked';
    source.onFind = () => void (forgotten ??= shard.forgetBundle('acme', made.hash));
    source.onForget = () => void (committed = reader.find({ tenant: 'acme', workflowId: 'a' }));
    await start('a', 'five', 10);
    await forgotten;
    expect(committed).toMatchObject({ status: 'running' });
  });

  it('runs five activities, one after the other', async () => {
    expect(await start('a', 'five', 10)).toMatchObject({ kind: 'started', created: true });
    expect(await work(add)).toHaveLength(5);
    expect(result('a')).toMatchObject({ status: 'completed', result: 15 });
    expect(await start('a', 'five', 10)).toMatchObject({ kind: 'started', created: false });
    expect(reader.history({ tenant: 'acme', workflowId: 'a' }, { after: 0, limit: 100 })!.events.map(({ n, kind }) => `${n} ${kind}`)).toEqual([
      '1 started', ...[0, 1, 2, 3, 4].flatMap((i) => [`${2 + 2 * i} activityScheduled`, `${3 + 2 * i} activityClosed`]), '12 completed',
    ]);
  });

  it('goes on after a restart at any step, from snapshot or history', async () => {
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) await start(id, 'five', index);
    for (let i = 0; i < 6; i++) {
      await reopen();
      // Workers that may hold an attempt have two seconds to say so.
      clock.advanceBy(2_000);
      await shard.settled();
      const { tasks } = await shard.poll('acme', { worker: 'w', session: `s${i}`, queues: ['default'], slots: 100, holding: [], waitMs: 0 });
      await shard.answer('acme', tasks.map(add));
    }
    await work(add);
    expect(['a', 'b', 'c', 'd'].map(result)).toMatchObject([5, 6, 7, 8].map((value) => ({ status: 'completed', result: value })));
  });

  it('takes signals, queries and updates, and refuses unknown ones', async () => {
    await start('t', 'talk');
    expect(await append('t', { kind: 'signal', name: 'hurry', input: 7 })).toMatchObject({ kind: 'accepted' });
    expect(await append('t', { kind: 'signal', name: 'nope' })).toMatchObject({ kind: 'refused', problem: { code: 'unknown-signal' } });
    expect(await append('t', { kind: 'update', name: 'add', input: -1 })).toMatchObject({ kind: 'refused', problem: { code: 'update-refused', detail: 'negative' } });
    expect(await shard.query({ tenant: 'acme', workflowId: 't', name: 'stage' })).toEqual({ value: 'hurried 7' });
    await expect(shard.query({ tenant: 'acme', workflowId: 't', name: 'nope' })).rejects.toMatchObject({ code: 'unknown-query' });
    expect(await append('t', { kind: 'update', name: 'add', input: 20 }, 'u1')).toMatchObject({ kind: 'accepted' });
    await work(add);
    expect(reader.outcome({ tenant: 'acme', workflowId: 't', inputId: 'u1' })).toMatchObject({ kind: 'updated', outcome: { status: 'completed', value: 21 } });
    expect(result('t')).toMatchObject({ status: 'completed', result: { stage: 'hurried 7', added: 21 } });
    expect(await append('t', { kind: 'signal', name: 'hurry', input: 7 })).toMatchObject({ kind: 'refused', problem: { code: 'run-closed' } });
  });

  it('receives an event that came before or after, once, and sleeps', async () => {
    const scan = { tenant: 'acme', source: 's', type: 'scan', time: 0, keys: { tracking: 'T1' } };
    await shard.publish([{ ...scan, id: 'e1', data: { at: 'x' } }]);
    await start('w1', 'waits');
    await start('w2', 'waits');
    expect(await shard.publish([{ ...scan, id: 'e1' }])).toEqual(['duplicate']);
    await shard.settled();
    clock.advanceBy(3_600_000);
    await shard.settled();
    expect(result('w1')).toMatchObject({ status: 'completed', result: { at: 'x' } });
    expect(result('w2')).toMatchObject({ status: 'running' });
    await reopen();
    clock.advanceBy(7 * 86_400_000);
    await shard.settled();
    expect(result('w2')).toMatchObject({ status: 'failed', error: { type: 'TimedOut' } });
  });

  it('undoes a saga, last first, whoever asks', async () => {
    await start('s', 'undoing');
    const done = await work(({ token, name }) => (name === 'fail' ? { token, kind: 'failed', error: { type: 'TerminalError', message: 'no', retryable: false } } : { token, kind: 'completed' }));
    expect(done).toEqual(['reserve', 'charge', 'fail', 'refund', 'release']);
    expect(result('s')).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('no') as unknown } });
  });

  it('keeps what was undone as long as the run', async () => {
    const audited = async (): Promise<number> => (await audit.list('acme', { limit: 100 })).entries.length;
    await start('u', 'undoing');
    await work((task) => (task.name === 'fail' ? { token: task.token, kind: 'failed', error: { type: 'Error', message: 'no', retryable: false } } : add(task)));
    expect([result('u'), await audited()]).toMatchObject([{ status: 'failed' }, 4]);
    await start('open', 'waits');
    for (const days of [6.9, 0.2]) {
      expect(await audited()).toBe(4);
      clock.advanceBy(days * DAY_MS);
      await shard.settled();
    }
    expect([result('u'), await audited()]).toEqual([undefined, 0]);
  });

  it('lets no batch suffer from a tenant that has no room for more events', async () => {
    const event = (id: string, tenant = 'greedy') => ({ tenant, source: '/s', id, type: 'scan', time: 0, keys: {} });
    await shard.publish([event('e1'), event('e2')]);
    const answers = await Promise.allSettled([shard.publish([event('e3')]), start('w', 'waits'), shard.publish([event('e4', 'modest')])]);
    expect(answers).toMatchObject([{ status: 'rejected', reason: { code: 'overloaded' } }, { value: { kind: 'started' } }, { value: ['accepted'] }]);
    expect(await shard.figures()).toMatchObject({ commitFailures: 0 });
  });

  it('runs children and continues as new', async () => {
    await start('p', 'parent');
    await start('n', 'counter', 0);
    await work(add);
    expect(result('p')).toMatchObject({ status: 'completed', result: 7 });
    expect(result('n')).toMatchObject({ status: 'completed', result: 3 });
    expect(reader.list('acme', { workflowId: 'n', limit: 10 }).runs.map(({ status }) => status)).toEqual(['completed', 'continued', 'continued', 'continued']);
  });

  it('suspends a run whose activity has crashed its workers for a day, and says why', async () => {
    await start('r', 'risky');
    for (let crashes = 0; crashes < 3; ) {
      await shard.settled();
      const poll = { worker: 'w', session: `s${crashes}`, queues: ['default'], slots: 1, waitMs: 0 };
      const { tasks } = await shard.poll('acme', { ...poll, holding: [] });
      clock.advanceBy(2_000);
      if (tasks.length === 0) continue;
      await shard.poll('acme', { ...poll, holding: tasks.map(({ token }) => token) });
      clock.advanceBy(20_000); // it says nothing any more
      crashes++;
    }
    await shard.settled();
    clock.advanceBy(DAY_MS);
    await shard.settled();
    expect(reader.find({ tenant: 'acme', workflowId: 'r' })).toMatchObject({ status: 'suspended', suspended: { kind: 'poisoned', seq: 1, message: 'activity "explode" (#1) has crashed its worker 3 times' } });
  });

  it('suspends a run whose code never ends, and its neighbours go on', async () => {
    await start('h', 'hog');
    await start('a', 'five', 0);
    await work(add);
    expect(reader.find({ tenant: 'acme', workflowId: 'h' })).toMatchObject({ status: 'suspended', suspended: { kind: 'voided', limit: 'time' } });
    expect(result('a')).toMatchObject({ status: 'completed' });
    expect(await append('h', { kind: 'resume', fail: true })).toMatchObject({ kind: 'accepted' });
    expect(result('h')).toMatchObject({ status: 'failed' });
  });
});
