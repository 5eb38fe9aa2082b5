import { isLogMismatch, LogMismatch, type LogRecord, type TrimmableLog } from '../log.js';
import type { SliceName } from '../message.js';
import { ARCHIVE_LIMITS } from './archive-limits.js';
import { segmentAt } from './coverage.js';
import type { LogArchive, Segment } from './log-archive.js';
import { parseSegment } from './segment-text.js';

/**
 * A slice's log from its first record to its end as of now: what was archived, then what the log has itself. It may be archived and trimmed meanwhile.
 * @throws LogMismatch when records are missing between the two
 */
export async function* wholeLog({ slice, archive, log }: { readonly slice: SliceName; readonly archive: LogArchive; readonly log: TrimmableLog }): AsyncGenerator<LogRecord> {
  const { identity, end } = await log.describe();
  const name = { slice, identity };
  let segments: readonly Segment[] = await archive.segments(name);
  let next = 0;
  while (next < end) {
    const segment = segmentAt(segments, next);
    const records = segment ? parseSegment(name, segment, await archive.get(name, segment)) : await read(next);
    // Undefined: it was trimmed while the others were read.
    if (!records) segments = await archive.segments(name);
    for (const record of records ?? []) if (record.offset >= next && record.offset < end) yield record;
    next = segment ? segment.last + 1 : (records?.at(-1)?.offset ?? next - 1) + 1;
  }

  async function read(offset: number): Promise<readonly LogRecord[] | undefined> {
    try {
      const records = await log.read(offset, ARCHIVE_LIMITS.readRecordsMax);
      if (records.length > 0) return records;
    } catch (thrown) {
      if (!isLogMismatch(thrown)) throw thrown;
      const { begin } = await log.describe();
      if (begin <= offset) throw thrown;
      if (segmentAt(await archive.segments(name), offset)) return undefined;
      throw new LogMismatch(slice, `begins at ${begin}, and its archive has no record ${offset}`);
    }
    throw new LogMismatch(slice, `ends before ${end}`);
  }
}
