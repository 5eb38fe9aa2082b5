import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from '../log.js';
import { parseSegment, toLine, toSegmentText } from './segment-text.js';

const LOG = { slice: 'history/0', identity: 'i' } as const;
const record = (offset: number): LogRecord => ({ offset, id: `r${offset}`, origin: { source: 'scheduler/0', number: offset, mark: 1 }, body: { kind: 'input', input: { id: 'ä\n', tenant: 't', workflowId: 'w', at: 1, kind: 'signal', name: 's' } } });
const SEGMENT = { first: 4, last: 9 };
const text = (...offsets: number[]): string => toSegmentText(LOG, SEGMENT, offsets.map((offset) => toLine(record(offset))));

describe('The text of a segment', () => {
  it('gives its records back, also where offsets between them are none', () => {
    expect(parseSegment(LOG, SEGMENT, text(5, 6, 9))).toEqual([record(5), record(6), record(9)]);
    expect(parseSegment(LOG, SEGMENT, text())).toEqual([]);
  });

  it('is refused as another segment, or another log\'s', () => {
    for (const [log, segment] of [[LOG, { first: 4, last: 10 }], [LOG, { first: 3, last: 9 }], [{ ...LOG, identity: 'j' }, SEGMENT], [{ ...LOG, slice: 'history/1' }, SEGMENT]] as const)
      expect(() => parseSegment(log, segment, text(5, 6, 9))).toThrow('is not what its name says');
  });

  it('is refused when something of it is missing or too much', () => {
    const whole = text(5, 6, 9);
    const lines = whole.split('\n');
    for (const other of ['', whole.slice(0, -1), whole.slice(0, -10), [lines[0], lines[1], ''].join('\n'), `${whole}${lines[1]}\n`]) expect(() => parseSegment(LOG, SEGMENT, other)).toThrow('is not what its name says');
  });

  it('is refused when its records are not in order, or not its own', () => {
    for (const offsets of [[6, 5], [5, 5], [3], [10]]) expect(() => parseSegment(LOG, SEGMENT, text(...offsets))).toThrow('has record');
  });
});
