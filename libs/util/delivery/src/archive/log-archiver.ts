import type { Clock } from '@perdure/clock';
import { PerdureError } from '@perdure/contract';
import { ALL_GUARDS, type Guards } from '@perdure/guards';
import { isLogMismatch, LogMismatch, type LogPosition, type LogRecord, type TrimmableLog } from '../log.js';
import type { SliceName } from '../message.js';
import { ARCHIVE_LIMITS, type ArchiveLimits } from './archive-limits.js';
import { chainFrom } from './coverage.js';
import type { LogArchive, LogName, Segment } from './log-archive.js';
import { nameOfSegment, parseSegment, toLine, toSegmentText } from './segment-text.js';

export interface LogArchiverOptions {
  readonly slice: SliceName;
  readonly archive: LogArchive;
  /** For it alone: it reads what its owner has read long ago. */
  readonly log: TrimmableLog;
  /** How far the slice's owner has committed. */
  readonly committed: () => LogPosition | undefined;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Runs something soon, after what has arrived has been heard: `setImmediate`. */
  readonly defer: (run: () => void) => void;
  readonly limits?: Partial<ArchiveLimits>;
  readonly guards?: Guards;
}

/** What a step has done. */
export interface ArchiveStep {
  /** Put into the archive. */
  readonly records: number;
  /** There is more to do now. */
  readonly isMore: boolean;
}

interface Cut extends Segment {
  readonly records: number;
  readonly text: string;
}

const NOTHING: ArchiveStep = { records: 0, isMore: false };

/**
 * Archives a slice's log behind its owner, and trims it behind the archive. It commits nothing, holds up no batch, and may stop at any moment.
 *
 * 1. Only what the owner has committed is archived, and only what is archived is trimmed: after the segment was put, read back, and seen to be the same.
 * 2. It begins where the archive ends, whoever wrote it. Where the archive ends before the log begins, records are missing: it does nothing.
 * 3. A stale owner may go on with it for a while. It archives what is committed all the same, under names that nobody replaces, and trims no
 *    further than it has archived.
 */
export class LogArchiver {
  readonly #options: LogArchiverOptions;
  readonly #limits: ArchiveLimits;
  /** What is before it is archived (invariant 1). */
  #end: number | undefined;
  /** Where the log began when it was looked at last. */
  #begin: number | undefined;
  /** As far as a part of a segment is to be archived, too. */
  #dueTo = 0;
  #dueAtMs: number | undefined;

  constructor(options: LogArchiverOptions) {
    this.#options = options;
    this.#limits = { ...ARCHIVE_LIMITS, ...options.limits };
  }

  /** Records that the owner has committed and that are not in the archive, as far as it is known. */
  get waiting(): number {
    const committed = this.#options.committed()?.offset ?? 0;
    return Math.max(0, committed - (this.#end ?? this.#begin ?? committed));
  }

  /** One segment at most. @throws PerdureError when nothing was trimmed because the log or the archive did not answer, or are not what they should be */
  async step(): Promise<ArchiveStep> {
    const position = this.#options.committed();
    if (!position) return NOTHING;
    const { slice, log } = this.#options;
    const { identity, begin } = await log.describe();
    if (identity !== position.identity) throw new LogMismatch(slice, `is ${identity}, and ${position.identity} was consumed`);
    this.#begin = begin;
    const name = { slice, identity };
    // A stale owner finds that another has archived and trimmed what it has not.
    if (this.#end === undefined || this.#end < begin) this.#end = await this.#resume(name, { begin, committed: position.offset });
    const cut = this.#isDue(position.offset) ? await this.#cut(name, { from: this.#end, to: position.offset }) : undefined;
    if (cut) {
      await this.#put(name, cut);
      this.#end = cut.last + 1;
    }
    // It leaves the record before it, so a trimmed log begins one earlier.
    if (begin < this.#end - 1) await log.trim(this.#end);
    return { records: cut?.records ?? 0, isMore: this.#isDue(position.offset) };
  }

  /** Where the archive ends. What it has of records that the log still has is looked at before they are trimmed. */
  async #resume(name: LogName, { begin, committed }: { readonly begin: number; readonly committed: number }): Promise<number> {
    const { archive } = this.#options;
    // The log keeps the last record that was trimmed.
    const chain = chainFrom(await archive.segments(name), begin);
    const last = chain.at(-1)?.last;
    if (last === undefined && begin > 0) throw new PerdureError('internal', `The log of ${name.slice} begins at ${begin}, and the archive has nothing before it; it is not trimmed any more.`, { retryable: false });
    for (const segment of chain) await this.#check(name, segment);
    // Of a stale owner: others have come further.
    return Math.max(begin, Math.min((last ?? -1) + 1, committed));
  }

  async #check(name: LogName, segment: Segment): Promise<void> {
    const { archive } = this.#options;
    const last = parseSegment(name, segment, await archive.get(name, segment)).at(-1);
    const [there] = last ? await this.#read(last.offset, 1) : [];
    if (last?.id !== there?.id) throw new PerdureError('internal', `The archived segment ${nameOfSegment(name, segment)} ends with record ${last?.id}, and the log has ${there?.id} there.`, { retryable: false });
  }

  #isDue(committed: number): boolean {
    const { clock, random } = this.#options;
    const { segmentRecordsMax, segmentAfterMs } = this.#limits;
    const waiting = this.waiting;
    if (waiting === 0) this.#dueAtMs = undefined;
    if (waiting === 0 || waiting >= segmentRecordsMax) return waiting > 0;
    this.#dueAtMs ??= clock.now() + segmentAfterMs * (0.75 + 0.25 * random());
    if (this.#dueAtMs <= clock.now()) {
      this.#dueTo = committed;
      this.#dueAtMs = undefined;
    }
    return (this.#end ?? 0) < this.#dueTo;
  }

  async #cut(name: LogName, { from, to }: { readonly from: number; readonly to: number }): Promise<Cut> {
    const { segmentRecordsMax, segmentBytesMax, readRecordsMax } = this.#limits;
    const lines: string[] = [];
    let last = from - 1;
    for (let bytes = 0; last + 1 < to && lines.length < segmentRecordsMax && bytes < segmentBytesMax; ) {
      const records = (await this.#read(last + 1, Math.min(readRecordsMax, segmentRecordsMax - lines.length))).filter(({ offset }) => offset < to);
      if (records.length === 0) throw new PerdureError('unavailable', `The log of ${name.slice} does not give record ${last + 1} now.`);
      for (const record of records) {
        if (bytes >= segmentBytesMax) break;
        const line = toLine(record);
        lines.push(line);
        bytes += line.length;
        last = record.offset;
      }
    }
    const segment = { first: from, last };
    return { ...segment, records: lines.length, text: toSegmentText(name, segment, lines) };
  }

  async #read(offset: number, limit: number): Promise<readonly LogRecord[]> {
    const { slice, log, defer } = this.#options;
    await new Promise<void>(defer);
    try {
      return await log.read(offset, limit);
    } catch (thrown) {
      if (!isLogMismatch(thrown) || (await log.describe()).begin <= offset) throw thrown;
      throw new PerdureError('unavailable', `Another has trimmed the log of ${slice} meanwhile.`, { cause: thrown });
    }
  }

  async #put(name: LogName, cut: Cut): Promise<void> {
    const { archive, guards = ALL_GUARDS } = this.#options;
    const putting = archive.put(name, cut, cut.text);
    if (!guards.has('trimBehindArchive')) return void putting.catch(() => undefined);
    await putting;
    // Whoever was first: what is there now is what stays.
    if ((await archive.get(name, cut)) !== cut.text) throw new PerdureError('internal', `The archived segment ${nameOfSegment(name, cut)} is not what the log has; it is not trimmed.`, { retryable: false });
  }
}
