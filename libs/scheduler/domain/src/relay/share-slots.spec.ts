import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shareSlots, type SharedLeg } from './share-slots.js';

const leg = fc.option(fc.record({ slots: fc.nat(20), isEnding: fc.boolean() }), { nil: undefined });

describe('shareSlots', () => {
  it('shares evenly, the odd slots from the favoured slice on', () => {
    expect([...shareSlots([undefined, undefined, undefined], { free: 8, favoured: 1 }).open]).toEqual([[0, 2], [1, 3], [2, 3]]);
    expect([...shareSlots([undefined, undefined], { free: 1, favoured: 1 }).open]).toEqual([[0, 0], [1, 1]]);
  });

  it('leaves legs near their share alone', () => {
    expect(shareSlots([{ slots: 50, isEnding: false }, undefined], { free: 98, favoured: 0 })).toEqual({ open: new Map([[1, 48]]), end: [] });
  });

  it('ends a leg whose slots another slice wants', () => {
    expect(shareSlots([{ slots: 50, isEnding: false }, undefined], { free: 50, favoured: 0 })).toEqual({ open: new Map(), end: [0] });
  });

  it('never gives out more than is free, and comes to even shares when what it ends has ended', () => {
    fc.assert(
      fc.property(fc.array(leg, { minLength: 1, maxLength: 5 }), fc.nat(40), fc.nat(4), (given, free, favoured) => {
        const legs: (SharedLeg | undefined)[] = [...given];
        for (let round = 0; round < 10; round++) {
          const before = legs.reduce((sum, each) => sum + (each?.slots ?? 0), 0);
          const { open, end } = shareSlots(legs, { free, favoured: favoured % legs.length });
          const given = [...open.values()].reduce((sum, slots) => sum + slots, 0);
          expect(given === 0 || before + given <= free).toBe(true);
          for (const [slice, slots] of open) legs[slice] = { slots, isEnding: false };
          for (const slice of end) legs[slice] = undefined;
          for (const [slice, each] of legs.entries()) if (each?.isEnding) legs[slice] = undefined;
        }
        expect(legs.every((each) => each !== undefined)).toBe(true);
        const out = legs.map((each) => each!.slots);
        expect(out.reduce((sum, slots) => sum + slots, 0)).toBeLessThanOrEqual(free);
        const share = Math.floor(free / legs.length);
        for (const slots of out) expect(slots * 2).toBeGreaterThanOrEqual(share);
      }),
    );
  });
});
