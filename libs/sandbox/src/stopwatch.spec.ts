import { describe, expect, it } from '@jest/globals';
import { Stopwatch } from './stopwatch.js';

describe('Stopwatch', () => {
  it("counts the thread's own time, not what others take of the machine", () => {
    const at = { wall: 5_000, cpu: 700 };
    const watch = new Stopwatch({ wallMs: () => at.wall, cpuMs: () => at.cpu });
    expect(watch.isOver).toBe(false);
    watch.start(1_000);
    at.cpu += 5;
    expect(watch.isOver).toBe(false);
    at.wall += 60_000;
    at.cpu += 900;
    expect(watch.isOver).toBe(false);
    at.cpu += 101;
    expect(watch.isOver).toBe(true);
    watch.start(1_000);
    expect(watch.isOver).toBe(false);
    at.wall += 2_000;
    at.cpu += 2_000;
    watch.stop();
    expect(watch.isOver).toBe(false);
  });

  it('goes by the thread that it is used on', () => {
    const watch = new Stopwatch();
    watch.start(5);
    for (let turns = 0; !watch.isOver; turns++) if (turns > 1e9) throw new Error('never over');
    expect(watch.isOver).toBe(true);
  });
});
