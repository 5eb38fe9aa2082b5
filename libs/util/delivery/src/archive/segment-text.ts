import { PerdureError } from '@perdure/contract';
import type { LogRecord } from '../log.js';
import type { LogName, Segment } from './log-archive.js';

const FORMAT = 1;

export const nameOfSegment = ({ slice }: LogName, { first, last }: Segment): string => `${slice} ${first}–${last}`;

const headOf = ({ slice, identity }: LogName, { first, last }: Segment, records: number): string => JSON.stringify({ format: FORMAT, slice, identity, first, last, records });

/** A line that says what it is, and one for each record. The same records give the same text, whoever writes it. */
export const toSegmentText = (log: LogName, segment: Segment, lines: readonly string[]): string => [headOf(log, segment, lines.length), ...lines, ''].join('\n');

export const toLine = ({ offset, id, origin, body }: LogRecord): string => JSON.stringify({ offset, id, ...(origin ? { origin } : {}), body });

/** @throws PerdureError when it is not what its name says */
export function parseSegment(log: LogName, segment: Segment, text: string): readonly LogRecord[] {
  const [head, ...lines] = text.split('\n');
  const wrong = (why: string): never => {
    throw new PerdureError('internal', `The archived segment ${nameOfSegment(log, segment)} ${why}.`, { retryable: false });
  };
  if (lines.pop() !== '' || head !== headOf(log, segment, lines.length)) return wrong('is not what its name says');
  const records = lines.map((line) => JSON.parse(line) as LogRecord);
  let before = segment.first - 1;
  for (const { offset } of records) {
    if (offset <= before || offset > segment.last) return wrong(`has record ${offset} behind ${before}`);
    before = offset;
  }
  return records;
}
