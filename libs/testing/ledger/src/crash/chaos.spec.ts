import { describe, expect, it } from '@jest/globals';
import { disturbances, type Disturbance, type Lane } from './chaos.js';
import { MESH_LANES, STANDALONE_LANES } from './lanes.js';

const SERVERS: Lane = { number: 0, weights: STANDALONE_LANES['servers']! };
const AROUND: Lane = { number: 1, weights: STANDALONE_LANES['surroundings']! };

const first = (seed: number, count: number, lane: Lane = SERVERS): readonly Disturbance[] => {
  const all = disturbances({ seed, lane, gapMs: [10, 20], holdMs: [30, 40] });
  return Array.from({ length: count }, () => all.next().value);
};
const sortsIn = (all: readonly Disturbance[]): readonly string[] => [...new Set(all.map((each) => ('role' in each ? `${each.do} ${each.role}` : each.do === 'link' ? `${each.latencyMs === undefined ? 'cut' : 'slow'} link ${each.direction}` : each.do)))].sort();

describe('disturbances', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(first(5, 50)).toEqual(first(5, 50));
    expect(first(5, 50)).not.toEqual(first(6, 50));
  });

  it('are of every sort, each in its lane', () => {
    expect(sortsIn(first(1, 300))).toEqual(['hold server', 'kill server', 'stop server']);
    expect(sortsIn(first(1, 300, AROUND))).toEqual(['cut', 'hold ledger', 'hold worker', 'kill ledger', 'kill worker', 'stop worker']);
  });

  it('break ways in either direction', () => {
    expect(sortsIn(first(1, 300, { number: 3, weights: MESH_LANES['links']! }))).toEqual(['cut link toClient', 'cut link toServer', 'slow link toClient', 'slow link toServer']);
  });

  it('keep to their bounds', () => {
    for (const each of [...first(1, 300), ...first(1, 300, AROUND)]) {
      expect(each.thenMs).toBeGreaterThanOrEqual(10);
      expect(each.thenMs).toBeLessThanOrEqual(20);
      if (each.do === 'hold') expect(each.ms).toBeLessThanOrEqual(3 * 40);
    }
  });
});
