import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '@perdure/clock';
import { SchedulerSlice } from './scheduler-slice.js';
import { MemoryTaskStore, MemoryTimerStore } from './testing/index.js';

describe('SchedulerSlice', () => {
  it('tells who watches its batches what became of each', async () => {
    const seen: string[] = [];
    const slice = await SchedulerSlice.open({
      tasks: new MemoryTaskStore(), timers: new MemoryTimerStore(), clock: new ManualClock(), random: () => 0.5, epoch: 1, wake: () => undefined,
      map: { destinationOf: () => 'history/0' },
      batches: { committed: () => void seen.push('committed'), takeBack: () => void seen.push('taken back') },
    });
    await slice.take([]);
    slice.committed();
    await slice.take([]);
    await slice.takeBack();
    expect(seen).toEqual(['committed', 'taken back']);
    slice.close();
  });
});
