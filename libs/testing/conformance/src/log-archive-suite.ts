import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LogArchive, LogName, Segment } from '@perdure/delivery';

export interface MadeArchive {
  readonly archive: LogArchive;
  /** As another process would open it. */
  reopen(): Promise<LogArchive>;
  /** What is kept of the segment is there in part. Not every archive can be made to. */
  readonly damage?: (log: LogName, segment: Segment) => Promise<void>;
  close(): Promise<void>;
}

const LOG: LogName = { slice: 'history/3', identity: 'MkU3OEVBNTcwNTJENDM2Qg/p.history/0f-_~x' };
const FIRST = { first: 0, last: 9 };
const SECOND = { first: 10, last: 4_294_967_296 };

const sorted = (segments: readonly Segment[]): Segment[] => segments.toSorted((a, b) => a.first - b.first || a.last - b.last);

export function logArchiveSuite(name: string, make: () => Promise<MadeArchive>): void {
  describe(`LogArchive: ${name}`, () => {
    let made: MadeArchive;
    let archive: LogArchive;
    beforeEach(async () => {
      made = await make();
      ({ archive } = made);
    });
    afterEach(() => made.close());

    it('has nothing of a log that it has never seen', async () => {
      expect(await archive.segments(LOG)).toEqual([]);
      await expect(archive.get(LOG, FIRST)).rejects.toMatchObject({ name: 'PerdureError', code: 'unavailable' });
    });

    it('gives back what was put, to whoever opens it', async () => {
      const text = '{"a":"ä 🦀"}\n\n{}\n';
      expect(await archive.put(LOG, FIRST, text)).toBe(true);
      expect(await archive.put(LOG, SECOND, 'second')).toBe(true);
      for (const each of [archive, await made.reopen()]) {
        expect(sorted(await each.segments(LOG))).toEqual([FIRST, SECOND]);
        expect([await each.get(LOG, FIRST), await each.get(LOG, SECOND)]).toEqual([text, 'second']);
      }
    });

    it('keeps what is there, whatever comes under the same name', async () => {
      await archive.put(LOG, FIRST, 'the truth');
      expect(await archive.put(LOG, FIRST, 'the truth')).toBe(false);
      expect(await (await made.reopen()).put(LOG, FIRST, 'something else')).toBe(false);
      expect(await archive.get(LOG, FIRST)).toBe('the truth');
      expect(await archive.segments(LOG)).toEqual([FIRST]);
    });

    it('takes one of many that come at once', async () => {
      const others = await Promise.all(Array.from({ length: 4 }, () => made.reopen()));
      const texts = Array.from({ length: 16 }, (_, index) => `${index}: ${'x'.repeat(index * 1_000)}`);
      const isPut = await Promise.all(texts.map((text, index) => others[index % others.length]!.put(LOG, FIRST, text)));
      expect(isPut.filter((each) => each)).toHaveLength(1);
      expect(await archive.get(LOG, FIRST)).toBe(texts[isPut.indexOf(true)]);
    });

    it('keeps segments that overlap, and logs apart', async () => {
      await archive.put(LOG, FIRST, 'a');
      await archive.put(LOG, { first: 0, last: 4 }, 'b');
      await archive.put({ ...LOG, slice: 'history/33' }, { first: 1, last: 2 }, 'c');
      await archive.put({ ...LOG, identity: `${LOG.identity}x` }, { first: 3, last: 4 }, 'd');
      expect(sorted(await archive.segments(LOG))).toEqual([{ first: 0, last: 4 }, FIRST]);
      expect(await archive.segments({ ...LOG, slice: 'history/33' })).toEqual([{ first: 1, last: 2 }]);
      expect(await archive.segments({ ...LOG, identity: `${LOG.identity}x` })).toEqual([{ first: 3, last: 4 }]);
    });

    it('takes as much as a segment may have', async () => {
      const text = Array.from({ length: 60_000 }, (_, index) => `${index} ${'payload '.repeat(10)}`).join('\n');
      expect(text.length).toBeGreaterThan(4 * 1024 * 1024);
      await archive.put(LOG, FIRST, text);
      expect((await archive.get(LOG, FIRST)) === text).toBe(true);
    });

    it('gives nothing rather than something else', async () => {
      if (!made.damage) return;
      await archive.put(LOG, FIRST, Array.from({ length: 500 }, (_, index) => (index * index * 7_919) % 99_991).join(' '));
      await made.damage(LOG, FIRST);
      await expect(archive.get(LOG, FIRST)).rejects.toMatchObject({ code: 'unavailable' });
    });
  });
}
