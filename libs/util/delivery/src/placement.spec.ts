import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { MeshNode } from './membership.js';
import type { SliceName } from './message.js';
import { placeSlices } from './placement.js';

const toNode = (id: string): MeshNode => ({ id, service: 'history', address: `${id}:1` });
const slicesOf = (count: number): SliceName[] => Array.from({ length: count }, (_, index): SliceName => `history/${index}`);

const cases = fc.record({
  count: fc.integer({ min: 1, max: 96 }),
  ids: fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 11 }),
});

const idsOf = (placed: ReadonlyMap<SliceName, MeshNode>): Map<SliceName, string> => new Map([...placed].map(([slice, { id }]) => [slice, id]));

const loadsOf = (count: number, ids: readonly string[]): number[] => {
  const placed = [...idsOf(placeSlices(slicesOf(count), ids.map(toNode))).values()];
  return ids.map((id) => placed.filter((other) => other === id).length);
};

/** How many slices are elsewhere once the last of the nodes has left: as many as had moved when it joined. */
const movedBy = (count: number, ids: readonly string[]): number => {
  const before = idsOf(placeSlices(slicesOf(count), ids.map(toNode)));
  const after = idsOf(placeSlices(slicesOf(count), ids.slice(0, -1).map(toNode)));
  return slicesOf(count).filter((slice) => before.get(slice) !== after.get(slice)).length;
};

/** The share of a node when there is one fewer. */
const shareOf = (count: number, ids: readonly string[]): number => Math.ceil(count / (ids.length - 1));

// One seed: the bound is of what was seen, not of what can be proved.
const RUNS = { seed: 20_261_128, numRuns: 300 };

describe('placeSlices', () => {
  it('places every slice, and loads differ by one at most', () => {
    fc.assert(fc.property(cases, ({ count, ids }) => {
      const loads = loadsOf(count, ids);
      expect(loads.reduce((sum, load) => sum + load, 0)).toBe(count);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
    }), RUNS);
  });

  it('does not ask in which order it is told', () => {
    fc.assert(fc.property(cases, fc.integer({ min: 0, max: 95 }), ({ count, ids }, turn) => {
      const turned = <T>(list: readonly T[]): T[] => [...list.slice(turn % list.length), ...list.slice(0, turn % list.length)].reverse();
      const one = idsOf(placeSlices(slicesOf(count), ids.map(toNode)));
      const other = idsOf(placeSlices(turned(slicesOf(count)), turned(ids).map(toNode)));
      expect(slicesOf(count).filter((slice) => other.get(slice) !== one.get(slice))).toEqual([]);
    }), RUNS);
  });

  it('moves three shares at most when a node joins or leaves', () => {
    fc.assert(fc.property(cases, ({ count, ids }) => {
      expect(movedBy(count, ids)).toBeLessThanOrEqual(3 * shareOf(count, ids));
    }), RUNS);
  });

  it('moves one share in the middle and two in 99 of 100 cases', () => {
    const ratios = fc.sample(cases, RUNS).map(({ count, ids }) => movedBy(count, ids) / shareOf(count, ids)).sort((a, b) => a - b);
    expect(ratios[150]).toBeLessThanOrEqual(1.1);
    expect(ratios[297]).toBeLessThanOrEqual(2.2);
  });

  it('moves nothing when a node leaves that had nothing, and has no answer without nodes', () => {
    const ids = ['a', 'b', 'c'];
    const placed = idsOf(placeSlices(slicesOf(2), ids.map(toNode)));
    const idle = ids.find((id) => ![...placed.values()].includes(id))!;
    expect(idsOf(placeSlices(slicesOf(2), ids.filter((id) => id !== idle).map(toNode)))).toEqual(placed);
    expect(placeSlices(slicesOf(2), []).size).toBe(0);
  });
});
