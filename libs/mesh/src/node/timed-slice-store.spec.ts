import { describe, expect, it } from '@jest/globals';
import type { SliceCommit } from '@perdure/delivery';
import { MemorySliceStore } from '@perdure/delivery/testing';
import { TimedSliceStore } from './timed-slice-store.js';

describe('TimedSliceStore', () => {
  it('tells of the commits that were made, and of no others', async () => {
    const inner = new MemorySliceStore<string>(() => undefined);
    const told: number[] = [];
    const store = new TimedSliceStore(inner, (tookMs) => told.push(tookMs));
    await store.takeOver(0);
    const commit = (epoch: number): SliceCommit<string> => ({ epoch, cursor: { from: 0, to: 1 }, rows: undefined, outbox: { put: [], confirmed: [] }, intake: { marks: [], tombstones: { put: [], dropped: [] } }, triesDropped: [] });
    await expect(store.commit(commit(7))).rejects.toThrow();
    expect(told).toEqual([]);
    await store.commit(commit(1));
    expect(told).toHaveLength(1);
    expect((await store.head()).cursor).toBe(1);
  });
});
