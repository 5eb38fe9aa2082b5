import { describe, expect, it } from '@jest/globals';
import { ManualClock } from './manual-clock.js';

describe('ManualClock', () => {
  it('sounds alarms in order of their time, each at its own time, and only once', () => {
    const clock = new ManualClock(0);
    const heard: [string, number][] = [];
    clock.at(20, () => heard.push(['b', clock.now()]));
    clock.at(10, () => {
      heard.push(['a', clock.now()]);
      clock.at(15, () => heard.push(['nested', clock.now()]));
    });
    const cancel = clock.at(12, () => heard.push(['cancelled', clock.now()]));
    cancel();
    clock.advanceTo(30);
    clock.advanceTo(40);
    expect(heard).toEqual([['a', 10], ['nested', 15], ['b', 20]]);
    expect(clock.next()).toBeUndefined();
  });
});
