import { describe, expect, it } from '@jest/globals';
import { DueQueue } from './due-queue.js';

describe('DueQueue', () => {
  it('gives what came first, never more than asked, and each once', () => {
    const queue = new DueQueue<number>();
    const taken: number[] = [];
    for (let value = 0; value < 100; value++) {
      queue.push(value);
      if (value % 3 === 0) taken.push(...queue.take(2));
    }
    while (queue.length > 0) taken.push(...queue.take(7));
    expect(taken).toEqual(Array.from({ length: 100 }, (_, value) => value));
    expect(queue.take(5)).toEqual([]);
  });

  it('forgets', () => {
    const queue = new DueQueue<number>();
    queue.push(1);
    queue.push(2);
    queue.take(1);
    queue.clear();
    expect([queue.length, queue.take(1)]).toEqual([0, []]);
  });
});
