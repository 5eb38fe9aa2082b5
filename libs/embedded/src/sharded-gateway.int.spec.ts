import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundle, type Bundle } from '@perdure/bundler';
import { ManualClock } from '@perdure/clock';
import type { ExternalEvent, Input, InputBody, InputOutcome, TaskEnvelope } from '@perdure/contract';
import { StoreFault } from '@perdure/delivery';
import { OneBundle } from '@perdure/history/testing';
import { deriveRunId } from '@perdure/identity';
import { Sandbox } from '@perdure/sandbox';
import { ShardedAuditLog, ShardedRunReader, ShardedWaitReader, ShardFile, SqliteAuditLog, SqliteRunReader, SqliteWaitReader } from '@perdure/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { EmbeddedShard } from './embedded-shard.js';
import { PortBus } from './peers/port-bus.js';
import { ShardMap } from './shard-map.js';
import { ShardedGateway } from './sharded-gateway.js';

const SOURCE = `
import { activities, receive, runChild, saga, signalRun, nextSignal, signal } from '@perdure/sdk/workflow';
const act = activities<Record<string, (input?: unknown) => Promise<number>>>({ retry: { maxAttempts: 1 } });
export const hello = signal<number>('hello');
export async function one(n: number): Promise<number> { return act.add!(n); }
export async function many(count: number): Promise<number> {
  const sums = await Promise.all(Array.from({ length: count }, (_, i) => runChild(one, { workflowId: 'child-' + i, input: i })));
  return sums.reduce((a, b) => a + b, 0);
}
export async function hears(): Promise<number> { return nextSignal(hello); }
export async function tells(ids: string[]): Promise<void> { for (const id of ids) await signalRun(id, hello, 7); }
export async function waits(key: string): Promise<unknown> { return receive('scan', { match: { key }, timeout: '7 days' }); }
export async function undoing(): Promise<void> {
  const undo = saga();
  try { await undo.run(act.add!, 1, act.undo!); await act.fail!(); } catch (error) { await undo.compensate(); throw error; }
}
`;
const COUNT = 3;

/** A port's message takes a turn of its own. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('Shards of one data folder', () => {
  const map = new ShardMap(COUNT);
  let made: Bundle;
  let folder: string;
  let clock: ManualClock;
  let shards: EmbeddedShard[];
  let files: ShardFile[];
  let buses: PortBus[];
  let gateway: ShardedGateway;
  let sent = 0;

  const open = async (): Promise<void> => {
    const ports = Array.from({ length: COUNT }, () => new Map<number, MessagePort>());
    for (let a = 0; a < COUNT; a++) {
      for (let b = a + 1; b < COUNT; b++) {
        const { port1, port2 } = new MessageChannel();
        ports[a]!.set(b, port1);
        ports[b]!.set(a, port2);
      }
    }
    buses = ports.map((its) => new PortBus(its));
    files = ports.map((_, shard) => new ShardFile({ path: join(folder, `shard-${shard}.db`), shard }));
    const sandbox = await Sandbox.create({ snapshotKey: new Uint8Array(32) });
    shards = [];
    for (const [shard, file] of files.entries()) shards.push(await EmbeddedShard.open({ file, bundles: new OneBundle(made), sandbox, clock, random: () => 0.5, snapshotKey: new Uint8Array(32), peers: { map, bus: buses[shard]! } }));
    gateway = new ShardedGateway({ shards, map });
  };
  const close = async (): Promise<void> => {
    await gateway.close();
    for (const bus of buses) bus.close();
  };
  beforeEach(async () => {
    made ??= await bundle({ source: SOURCE, resolveDir: import.meta.dirname });
    folder = await mkdtemp(join(tmpdir(), 'perdure-'));
    clock = new ManualClock();
    await open();
  });
  afterEach(async () => {
    await close();
    await rm(folder, { recursive: true });
  });

  const append = async (workflowId: string, body: InputBody, id = `i${sent++}`): Promise<InputOutcome> => (await gateway.append([{ id, tenant: 'acme', workflowId, at: clock.now(), ...body } as Input]))[0]!;
  const start = (workflowId: string, workflowType: string, input?: unknown): Promise<InputOutcome> =>
    append(workflowId, { kind: 'start', workflowType, newRunId: deriveRunId({ tenant: 'acme', workflowId, startId: 'start' }), bundle: made.hash, ...(input === undefined ? {} : { input: input as never }) }, 'start');
  const event = (id: string, key: string): ExternalEvent => ({ tenant: 'acme', source: 'test', id, type: 'scan', time: clock.now(), keys: { key } });
  const reader = (): ShardedRunReader => new ShardedRunReader(files.map(({ db }) => new SqliteRunReader(db)), (tenant, workflowId) => map.shardOf(tenant, workflowId));
  const result = (workflowId: string): unknown => reader().result({ tenant: 'acme', workflowId });
  const ids = (prefix: string, count = 12): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

  /** Works as a worker would, until `done`. */
  const workUntil = async (done: () => boolean): Promise<string[]> => {
    const names: string[] = [];
    for (let i = 0; !done(); i++) {
      if (i > 2_000) throw new Error('it does not come to an end');
      const { tasks } = await gateway.poll('acme', { worker: 'w', session: 's', queues: ['default'], slots: 100, holding: [], waitMs: 0 });
      names.push(...tasks.map(({ name }) => name));
      if (tasks.length > 0) await gateway.answer('acme', tasks.map(({ token, name, input }: TaskEnvelope) => (name === 'fail' ? { token, kind: 'failed', error: { type: 'Error', message: 'no', retryable: false } } : { token, kind: 'completed', value: Number(input ?? 0) + 1 })));
      await turn();
    }
    return names;
  };
  const statuses = (all: readonly string[]): string[] => all.map((id) => reader().find({ tenant: 'acme', workflowId: id })?.status ?? 'none');

  it('starts children wherever their ids lie, and hears of their ends', async () => {
    expect(new Set(ids('child').map((id) => map.shardOf('acme', id))).size).toBe(COUNT);
    await start('parent', 'many', 12);
    await workUntil(() => statuses(['parent'])[0] === 'completed');
    expect(result('parent')).toMatchObject({ result: 78 });
  });

  it('brings signals to runs of other shards, once', async () => {
    for (const id of ids('ear')) await start(id, 'hears');
    await start('mouth', 'tells', ids('ear'));
    await workUntil(() => statuses(ids('ear')).every((status) => status === 'completed'));
    const signals = ids('ear').map((id) => reader().history({ tenant: 'acme', workflowId: id }, { after: 0, limit: 100 })!.events.filter(({ kind }) => kind === 'signalReceived').length);
    expect(new Set(signals)).toEqual(new Set([1]));
  });

  it('brings events to waits of any shard, whichever comes first', async () => {
    const early = ids('early');
    const late = ids('late');
    await gateway.publish(early.map((id) => event(id, id)));
    for (const id of [...early, ...late]) await start(id, 'waits', id);
    await workUntil(() => statuses(early).every((status) => status === 'completed'));
    const waits = new ShardedWaitReader(files.map(({ db }) => new SqliteWaitReader(db)));
    await workUntil(() => files.reduce((count, { db }) => count + (db.prepare('select count(*) as n from wait').get() as { n: number }).n, 0) === late.length);
    expect(await waits.ofWorkflow('acme', late[0]!)).toMatchObject([{ wait: { match: { key: late[0] } } }]);
    await gateway.publish(late.map((id) => event(id, id)));
    await workUntil(() => statuses(late).every((status) => status === 'completed'));
    expect(await gateway.publish(late.map((id) => event(id, id)))).toEqual(late.map(() => 'duplicate'));
  });

  it('loses nothing of what was under way when all of them ended', async () => {
    for (const id of ids('ear')) await start(id, 'hears');
    await start('mouth', 'tells', ids('ear'));
    await close();
    await open();
    await workUntil(() => statuses(ids('ear')).every((status) => status === 'completed'));
  });

  it('sends again what a shard could not store', async () => {
    for (const id of ids('ear')) await start(id, 'hears');
    await start('mouth', 'tells', ids('ear'));
    const other = files.find(({ shard }) => shard !== map.shardOf('acme', 'mouth'))!;
    let failures = 3;
    const transaction = other.transaction.bind(other);
    Object.assign(other, {
      transaction: <T>(write: () => T): T => {
        if (failures-- > 0) throw new StoreFault('unavailable', 'disk I/O error');
        return transaction(write);
      },
    });
    await workUntil(() => {
      clock.advanceBy(500);
      return statuses(ids('ear')).every((status) => status === 'completed');
    });
    expect(failures).toBeLessThanOrEqual(0);
  });

  it('lists runs of all shards newest first, page by page, and audits by time', async () => {
    for (const id of ids('run', 20)) {
      await start(id, 'undoing');
      clock.advanceBy(1_000);
    }
    await workUntil(() => statuses(ids('run', 20)).every((status) => status === 'failed'));
    const listed: string[] = [];
    for (let cursor: string | undefined, more = true; more; ) {
      const page = reader().list('acme', { limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      listed.push(...page.runs.map(({ workflowId }) => workflowId));
      cursor = page.next;
      more = cursor !== undefined;
    }
    expect(listed).toEqual(ids('run', 20).reverse());
    const log = new ShardedAuditLog(files.map(({ db }) => new SqliteAuditLog(db)));
    const audited: number[] = [];
    for (let cursor: string | undefined, more = true; more; ) {
      const page = await log.list('acme', { limit: 9, ...(cursor === undefined ? {} : { cursor }) });
      audited.push(...page.entries.map(({ at }) => at));
      cursor = page.next;
      more = cursor !== undefined;
    }
    expect(audited).toHaveLength(60);
    expect(audited).toEqual([...audited].sort((a, b) => a - b));
    expect(() => reader().list('acme', { limit: 7, cursor: '5' })).toThrow('cursor');
  });
});
