import { afterEach, describe, expect, it } from '@jest/globals';
import { activity, completeLater, TerminalError } from '@perdure/sdk/activity';
import type { ActivitySource } from '@perdure/sdk/node';
import { TestWorld } from './test-world.js';

const source = `
import { activities, condition, onQuery, onSignal, onUpdate, receive, runChild, sleep } from '@perdure/sdk/workflow';
const act = activities<Record<string, (input?: unknown) => Promise<unknown>>>({ startToCloseTimeout: '30s', retry: { maxAttempts: 4, initialInterval: '1 hour', maxInterval: '1 day' } });
const far = activities<Record<string, (input?: unknown) => Promise<unknown>>>({ queue: 'far', retry: { maxAttempts: 1 } });

export async function pay(amount: number): Promise<unknown> { return act.charge!(amount); }
export async function elsewhere(): Promise<unknown> { return far.charge!(); }
export async function waits(): Promise<unknown> { return receive('scan', { match: { tracking: 'T1' } }); }
export async function picky(filter: string): Promise<unknown> {
  try {
    return await receive('scan', { filter, timeout: '1 day' });
  } catch (error) {
    return (error as Error).name + ': ' + (error as Error).message;
  }
}
export async function asks(): Promise<number> {
  let sum = 0;
  onQuery('sum', () => sum);
  onSignal('add', (n: number) => { sum += n; });
  onUpdate('later', async (n: number) => { await sleep('2 days'); sum += n; return sum; });
  await condition(() => sum >= 10);
  return sum;
}
export async function naps(): Promise<string> { await sleep(0); await sleep('3 days'); return 'awake'; }
export async function parent(): Promise<unknown> { return [await runChild(naps, { workflowId: 'child' })]; }
`;

describe('TestWorld', () => {
  let world: TestWorld;
  let began: number;

  const create = async (activities: ActivitySource = {}, patienceMs?: number): Promise<void> => {
    world = await TestWorld.create({ workflows: { source, resolveDir: import.meta.dirname }, activities, ...(patienceMs === undefined ? {} : { patienceMs }) });
    began = world.now().getTime();
  };
  const start = (type: string, workflowId: string, input?: unknown) => world.start<(input?: unknown) => Promise<unknown>>(type, { workflowId, input });
  const passedMs = (): number => world.now().getTime() - began;

  afterEach(() => world.close());

  it('retries in skipped time, with the same idempotency key', async () => {
    const seen: [number, string][] = [];
    await create({
      charge: async (amount: number) => {
        const { attempt, idempotencyKey } = activity();
        seen.push([attempt, idempotencyKey]);
        if (attempt < 4) throw new Error('busy');
        return amount;
      },
    });
    const run = await start('pay', 'p', 5);
    expect(await run.result()).toBe(5);
    expect(seen.map(([attempt]) => attempt)).toEqual([1, 2, 3, 4]);
    expect(new Set(seen.map(([, key]) => key)).size).toBe(1);
    expect(passedMs()).toBe(0.9 * (1 + 2 + 4) * 3_600_000);
    const kinds: string[] = [];
    for await (const { kind } of run.history()) kinds.push(kind);
    expect(kinds).toEqual(['started', 'activityScheduled', 'activityClosed', 'completed']);
  });

  it.each([
    ['amount >', 'Syntax error: invalid token (EOF): ""'],
    ['larger(amount, `3`)', 'Unknown function: larger()'],
  ])('tells the code at once of a filter that is none: %s', async (filter, why) => {
    await create();
    expect(await (await start('picky', 'p', filter)).result()).toBe(`InvalidFilter: The filter of receive('scan') is no JMESPath expression: ${why}. It reads: ${filter}`);
    expect(passedMs()).toBe(0);
  });

  it('keeps a filter that only does not fit some data', async () => {
    await create();
    const run = await start('picky', 'p', 'starts_with(place, \'depot\')');
    await world.publish({ type: 'scan', data: {} });
    await world.publish({ type: 'scan', data: { place: 'depot 7' } });
    expect(await run.result()).toEqual({ place: 'depot 7' });
  });

  it('does not retry what is terminal, nor what is missing', async () => {
    let calls = 0;
    await create({
      charge: async () => {
        calls++;
        throw new TerminalError('stolen');
      },
    });
    const run = await start('pay', 'p', 5);
    await expect(run.result()).rejects.toMatchObject({ cause: { cause: { message: 'stolen' } } });
    expect(calls).toBe(1);
    await world.close();
    await create();
    await expect((await start('pay', 'p', 5)).result()).rejects.toMatchObject({ cause: { cause: { name: 'UnknownActivity' } } });
    expect(passedMs()).toBe(0);
  });

  it('serves every queue', async () => {
    await create({ charge: async () => activity().info.queue });
    expect(await (await start('elsewhere', 'q')).result()).toBe('far');
  });

  it('lets an activity that hangs, or completes later, come to its timeout', async () => {
    await create({ charge: () => (activity().attempt === 1 ? new Promise(() => undefined) : completeLater()) }, 10);
    await expect((await start('pay', 'p', 5)).result()).rejects.toThrow('timed out (startToClose)');
    // Each attempt was held for its whole time; none was taken for lost.
    expect(passedMs()).toBe(0.9 * (1 + 2 + 4) * 3_600_000 + 4 * 30_000);
  });

  it('has an activity completed later, by whoever has its token', async () => {
    const tokens: string[] = [];
    await create({ charge: () => {
      tokens.push(activity().info.token);
      return completeLater();
    } });
    const run = await start('pay', 'p', 1);
    await world.sleep('1s');
    expect([await world.client.complete('no token', 1), await world.client.complete(tokens[0]!, 'done')]).toEqual(['superseded', 'recorded']);
    expect([await run.result(), passedMs()]).toEqual(['done', 1_000]);
  });

  it('tells an activity that runs that it is cancelled', async () => {
    let why: unknown;
    await create({
      charge: () =>
        new Promise((_, reject) => {
          const { signal } = activity();
          signal.addEventListener('abort', async () => {
            for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
            reject((why = signal.reason) as Error);
          });
        }),
    }, 200);
    const run = await start('pay', 'p', 5);
    await run.cancel();
    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    expect(why).toMatchObject({ name: 'Cancelled' });
    expect(passedMs()).toBe(0);
  });

  it('says what a run waits for that no time brings', async () => {
    await create();
    const run = await start('waits', 'w');
    await expect(run.result()).rejects.toMatchObject({ name: 'StuckRun', waits: ['event "scan" with {"tracking":"T1"}'] });
    await world.publish({ type: 'scan', data: { tracking: 'T1' } });
    expect(await run.result()).toMatchObject({ tracking: 'T1' });
    await expect((await start('asks', 'a')).result()).rejects.toThrow('a signal, an update or a condition');
    expect(passedMs()).toBe(0);
  });

  it('takes signals, queries and updates, which may take their time', async () => {
    await create();
    const run = await start('asks', 'a');
    await run.signal('add', 4);
    expect(await run.query('sum')).toBe(4);
    await expect(run.signal('nope')).rejects.toMatchObject({ code: 'unknown-signal' });
    expect(await run.update('later', 6)).toBe(10);
    expect(passedMs()).toBe(2 * 86_400_000);
    expect(await run.result()).toBe(10);
  });

  it('sounds what is due on the way, also for children, and no more', async () => {
    await create();
    const run = await start('parent', 'p');
    await world.sleep('2 days');
    expect((await world.client.run('child').describe()).status).toBe('running');
    expect(await run.result()).toEqual(['awake']);
    expect(passedMs()).toBe(3 * 86_400_000);
    await expect((await start('naps', 'n')).terminate({ reason: 'enough' })).resolves.toBeUndefined();
    await expect(world.client.run('n').result()).rejects.toMatchObject({ status: 'terminated' });
  });

  it('keeps what has closed, however much time passes', async () => {
    await create();
    const run = await start('naps', 'n');
    await world.sleep('90 days');
    expect(await run.result()).toBe('awake');
  });

  it('lets an activity talk to the world, and keeps its progress', async () => {
    const progress: unknown[] = [];
    await create({
      charge: async () => {
        const { attempt, heartbeat, progress: last } = activity();
        progress.push(last);
        heartbeat({ attempt });
        if (attempt < 3) throw new Error('busy');
        await world.client.run('a').signal('add', 10);
      },
    }, 3_600_000);
    const asks = await start('asks', 'a');
    await (await start('pay', 'p', 1)).result();
    expect(await asks.result()).toBe(10);
    expect(progress).toEqual([undefined, { attempt: 1 }, { attempt: 2 }]);
  });

  it('serves several who wait at once', async () => {
    await create();
    const runs = await Promise.all(['a', 'b', 'c'].map((id) => start('naps', id)));
    expect(await Promise.all(runs.map((run) => run.result()))).toEqual(['awake', 'awake', 'awake']);
    expect(passedMs()).toBe(3 * 86_400_000);
  });
});
