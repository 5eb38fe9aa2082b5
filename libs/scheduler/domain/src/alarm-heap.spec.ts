import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AlarmHeap, type Alarm } from './alarm-heap.js';

describe('AlarmHeap', () => {
  it('always has the earliest first, and of those of one moment the one with the first key, whatever was set, moved and removed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 20 }), fc.oneof(fc.nat({ max: 50 }), fc.constant(Infinity)))), (moves) => {
        const heap = new AlarmHeap<Alarm>();
        const items = Array.from({ length: 21 }, (_, index): Alarm => ({ key: `k${index}`, atMs: Infinity, heapIndex: -1 }));
        const model = new Map<Alarm, number>();
        for (const [index, atMs] of moves) {
          heap.set(items[index]!, atMs);
          if (atMs === Infinity) model.delete(items[index]!);
          else model.set(items[index]!, atMs);
          expect(heap.size).toBe(model.size);
          expect(heap.peek()?.atMs ?? Infinity).toBe(Math.min(Infinity, ...model.values()));
        }
        const order: string[] = [];
        for (let first = heap.peek(); first; first = heap.peek()) {
          order.push(first.key);
          heap.remove(first);
        }
        expect(order).toEqual([...model].sort(([a, atA], [b, atB]) => atA - atB || (a.key < b.key ? -1 : 1)).map(([{ key }]) => key));
      }),
    );
  });
});
