import { describe, expect, it } from '@jest/globals';
import { withoutGuard } from '@perdure/guards/testing';
import fc from 'fast-check';
import { Marks } from './marks.js';
import type { Origin } from './message.js';

const source = 'history/0';
const origin = (number: number, mark = 1): Origin => ({ source, number, mark });

/** Sends 1…n, each at least once and again at will, with the smallest number that is not confirmed; some confirmations are lost. */
const deliveries = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.array(fc.record({ pick: fc.nat(), isConfirmed: fc.boolean() }), { maxLength: 60 }));

describe('Marks', () => {
  it('let each number through once, in whatever order and however often they come', () => {
    fc.assert(
      fc.property(deliveries, ([count, moves]) => {
        const marks = new Marks([]);
        const unconfirmed = new Set(Array.from({ length: count }, (_, index) => index + 1));
        const taken: number[] = [];
        const deliver = (number: number, isConfirmed: boolean): void => {
          const each = origin(number, Math.min(...unconfirmed, count + 1));
          if (!marks.isRepeat(each)) {
            taken.push(number);
            marks.add(each);
          }
          marks.committed();
          if (isConfirmed) unconfirmed.delete(number);
        };
        for (const { pick, isConfirmed } of moves) deliver((pick % count) + 1, isConfirmed);
        for (let number = 1; number <= count; number++) deliver(number, true);
        expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
      }),
    );
  });

  it('forget what the mark has passed, and still drop it', () => {
    const marks = new Marks([]);
    for (const number of [1, 3, 2]) marks.add(origin(number));
    marks.add(origin(5, 4));
    expect(marks.takeChanges()).toEqual([{ source, mark: 4, seen: [5] }]);
    expect([1, 2, 3, 4, 5].filter((number) => marks.isRepeat(origin(number)))).toEqual([1, 2, 3, 5]);
  });

  it('do not go back for a sender that has just started and knows less', () => {
    const marks = new Marks([{ source, mark: 7, seen: [8] }]);
    expect(marks.isRepeat(origin(6, 5))).toBe(true);
    marks.add(origin(9, 5));
    expect(marks.takeChanges()).toEqual([{ source, mark: 7, seen: [8, 9] }]);
  });

  it('tell whether all before a number has come', () => {
    const marks = new Marks([]);
    marks.add(origin(1));
    expect([marks.isComplete(origin(2)), marks.isComplete(origin(3))]).toEqual([true, false]);
    marks.add(origin(4, 3));
    expect(marks.isComplete(origin(3))).toBe(true);
  });

  it('are as before after a batch that is taken back', () => {
    const marks = new Marks([{ source, mark: 2, seen: [3] }]);
    marks.add(origin(4, 4));
    marks.add({ source: 'history/1', number: 1, mark: 1 });
    marks.takeBack();
    expect([3, 4].map((number) => marks.isRepeat(origin(number)))).toEqual([true, false]);
    expect(marks.isRepeat({ source: 'history/1', number: 1 })).toBe(false);
    expect(marks.takeChanges()).toEqual([]);
  });

  it('let repeats through without their guard', () => {
    const marks = new Marks([{ source, mark: 2, seen: [3] }], withoutGuard('receiverMarks'));
    expect(marks.isRepeat(origin(3))).toBe(false);
  });
});
