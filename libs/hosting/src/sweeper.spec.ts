import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { Sweeper } from './sweeper.js';

const MINUTE_MS = 60_000;

describe('Sweeper', () => {
  let clock: ManualClock;
  let swept: string[];
  let failures: unknown[];
  beforeEach(() => {
    clock = new ManualClock();
    swept = [];
    failures = [];
  });

  /** `more`: how many further steps each owner has; below 0 its step fails. */
  const sweeperOf = (more: Record<string, number>): Sweeper<string> =>
    new Sweeper({
      clock,
      owners: () => Object.keys(more),
      sweep: async (owner) => {
        swept.push(owner);
        if (more[owner]! < 0) throw new Error(`${owner} is away`);
        return more[owner]!-- > 0;
      },
      onFailed: (error) => failures.push((error as Error).message),
    });
  /** Runs the next step, and gives how long it was waited for. */
  const step = async (): Promise<number> => {
    const beganMs = clock.now();
    clock.advanceTo(clock.next()!);
    await turn();
    return clock.now() - beganMs;
  };

  it('takes a step for each owner, and goes on shortly while one of them has more', async () => {
    sweeperOf({ a: 1, b: 0 });
    expect(await step()).toBe(10 * MINUTE_MS);
    expect(swept).toEqual(['a', 'b']);
    expect(await step()).toBe(100);
    expect(await step()).toBe(10 * MINUTE_MS);
  });

  it('tells of a step that failed, takes those of the other owners, and tries again with the next sweep', async () => {
    sweeperOf({ a: -1, b: 0 });
    await step();
    expect({ swept, failures }).toEqual({ swept: ['a', 'b'], failures: ['a is away'] });
    expect(await step()).toBe(10 * MINUTE_MS);
  });

  it('takes no step once it is stopped, also when one was under way', async () => {
    const sweeper = sweeperOf({ a: 1 });
    const stepping = step();
    sweeper.stop();
    await stepping;
    expect(clock.next()).toBeUndefined();
    sweeperOf({ a: 0 }).stop();
    expect(clock.next()).toBeUndefined();
  });
});
