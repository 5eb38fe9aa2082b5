import { describe, expect, it } from '@jest/globals';
import { SystemClock } from './system-clock.js';

const HOUR_MS = 3_600_000;

describe('SystemClock', () => {
  let machine = { wallMs: 1_000_000, steadyMs: 50 };
  const pass = (ms: number): void => void (machine = { wallMs: machine.wallMs + ms, steadyMs: machine.steadyMs + ms });
  const jump = (ms: number): void => void (machine = { ...machine, wallMs: machine.wallMs + ms });
  const open = (): SystemClock => {
    machine = { wallMs: 1_000_000, steadyMs: 50 };
    return new SystemClock({ wallMs: () => machine.wallMs, steadyMs: () => machine.steadyMs });
  };

  it('shows what the machine shows, also when that jumps ahead', () => {
    const clock = open();
    expect(clock.now()).toBe(1_000_000);
    pass(5_000);
    expect(clock.now()).toBe(1_005_000);
    jump(HOUR_MS);
    expect(clock.now()).toBe(1_005_000 + HOUR_MS);
  });

  it('goes on when the machine is set back, neither backwards nor standing still, until the two agree', () => {
    const clock = open();
    clock.now();
    jump(-HOUR_MS);
    expect(clock.now()).toBe(1_000_000);
    for (let second = 1; second <= 100; second++) {
      pass(1_000);
      expect(clock.now()).toBeGreaterThanOrEqual(1_000_000 + second * 900 - 1);
      expect(clock.now()).toBeLessThan(1_000_000 + second * 1_000);
    }
    pass(10 * HOUR_MS);
    expect(clock.now()).toBe(machine.wallMs);
  });

  it('is the time of now', () => expect(Math.abs(new SystemClock().now() - Date.now())).toBeLessThan(60_000));
});
