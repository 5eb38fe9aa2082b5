import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestWorld } from '@perdure/sdk/testing';
import { join } from 'node:path';
import * as carrier from './carrier.activities.js';
import { deliver, hurry, type Order } from './deliver.workflow.js';

const WORKFLOWS = join(import.meta.dirname, 'deliver.workflow.ts');
const DAY_MS = 86_400_000;
const order: Order = { orderId: '7', item: 'lamp', amount: 30, address: 'Rome' };
const tracking = 'SC-7';

describe('deliver', () => {
  let world: TestWorld;
  let called: string[];

  const noting = <Args extends unknown[], Result>(name: string, run: (...args: Args) => Result) => (...args: Args): Result => {
    called.push(name);
    return run(...args);
  };
  const allNoting = (activities: Readonly<Record<string, unknown>>) => Object.fromEntries(Object.entries(activities).flatMap(([name, run]) => (typeof run === 'function' ? [[name, noting(name, run as (...args: unknown[]) => unknown)]] : [])));
  const start = () => world.start(deliver, { workflowId: 'order-7', input: order });

  beforeEach(async () => {
    called = [];
    world = await TestWorld.create({ workflows: WORKFLOWS, activities: allNoting(carrier) });
  });
  afterEach(() => world.close());

  it('gives up after seven days without a delivery, and undoes what it did', async () => {
    const began = world.now().getTime();
    const run = await start();
    await world.publish({ type: 'carrier.picked-up', data: { tracking, at: 'x', place: 'depot' } });
    await expect(run.result()).rejects.toMatchObject({ name: 'WorkflowFailed', status: 'failed', cause: { name: 'TimedOut' } });
    expect(world.now().getTime() - began).toBe(7 * DAY_MS);
    expect(called).toEqual(['reserve', 'charge', 'ship', 'refund', 'release']);
  });

  it('delivers when the carrier says so', async () => {
    const run = await start();
    expect(await run.query('stage')).toBe('in transit');
    await run.signal(hurry, { reason: 'birthday' });
    await world.sleep('1 day');
    expect(await world.publish({ type: 'carrier.picked-up', id: 'e1', data: { tracking, at: 'x', place: 'depot' } })).toBe('accepted');
    expect(await world.publish({ type: 'carrier.picked-up', id: 'e1', data: { tracking, at: 'x', place: 'depot' } })).toBe('duplicate');
    expect(await run.query('stage')).toBe('out for delivery');
    await world.sleep('6 days');
    await world.publish({ type: 'carrier.delivered', data: { tracking, at: 'noon', place: 'door' } });
    expect(await run.result()).toEqual({ tracking, deliveredAt: 'noon', hurried: true });
    expect(called).toEqual(['reserve', 'charge', 'ship', 'notify']);
  });

  it('undoes what it did when the carrier does not go there', async () => {
    const run = await world.start(deliver, { workflowId: 'order-7', input: { ...order, address: carrier.NOT_SERVED } });
    await expect(run.result()).rejects.toMatchObject({ status: 'failed', cause: { name: 'ActivityFailed', cause: { name: 'TerminalError' } } });
    expect(called).toEqual(['reserve', 'charge', 'ship', 'refund', 'release']);
  });

  it('undoes what it did when it is cancelled', async () => {
    const run = await start();
    await run.cancel({ reason: 'changed my mind' });
    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    expect(called).toEqual(['reserve', 'charge', 'ship', 'refund', 'release']);
  });

  it.each([
    ['reserve', ['reserve', 'release']],
    ['charge', ['reserve', 'charge', 'refund', 'release']],
    ['ship', ['reserve', 'charge', 'ship', 'refund', 'release']],
  ] as const)('goes no further when the cancel comes during %s, which completes', async (during, expected) => {
    await world.close();
    const cancelling = async (input: never): Promise<unknown> => {
      await world.client.run('order-7').cancel();
      return carrier[during](input);
    };
    const activities = { ...carrier, [during]: cancelling };
    world = await TestWorld.create({ workflows: WORKFLOWS, activities: allNoting(activities) });
    const run = await start();
    await expect(run.result()).rejects.toMatchObject({ status: 'cancelled' });
    expect(called).toEqual(expected);
  });
});
