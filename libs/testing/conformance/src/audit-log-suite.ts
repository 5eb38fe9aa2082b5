import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEntry, AuditLog, AuditPage, CompensationChange } from '@perdure/compensation';
import type { MadeReader, MakeReader } from './made-reader.js';
import { keyOf, ODD_TEXTS } from './sample-rows.js';

const entry = (id: string, at: number, more: Partial<AuditEntry> = {}): AuditEntry => ({
  id, run: keyOf('a'), at, cause: 'code', kind: 'stepClosed', step: { undoSeq: 1, name: 'refund', activitySeq: 2 }, outcome: { status: 'completed', value: ODD_TEXTS }, attempts: 3, ...more,
});

const audit = (row: AuditEntry): CompensationChange => ({ kind: 'audit', entry: row });

/** What every adapter of the audit log owes those who read it. */
export function auditLogSuite(name: string, make: MakeReader<AuditLog, readonly CompensationChange[]>): void {
  describe(`AuditLog: ${name}`, () => {
    let made: MadeReader<AuditLog, readonly CompensationChange[]>;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());

    const ids = async (filter: { readonly workflowId?: string; readonly limit?: number } = {}, tenant = 't'): Promise<string[]> => {
      const all: string[] = [];
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
        const page: AuditPage = await made.reader.list(tenant, { limit: 100, ...filter, ...(cursor === undefined ? {} : { cursor }) });
        expect(page.entries.length).toBeLessThanOrEqual(filter.limit ?? 100);
        all.push(...page.entries.map(({ id }) => id));
        cursor = page.next;
      }
      return all;
    };

    it('gives an entry back as it was written, once, though it was written twice', async () => {
      await made.write(0, [audit(entry('x', 5))]);
      await made.write(0, [audit(entry('x', 5))]);
      expect(await made.reader.list('t', { limit: 10 })).toEqual({ entries: [entry('x', 5)] });
    });

    it('has the oldest first, over all slices, in pages of any length', async () => {
      await made.write(0, [audit(entry('a', 1)), audit(entry('c', 3)), audit(entry('d', 4))]);
      await made.write(1, [audit(entry('b', 2)), audit(entry('f', 6))]);
      await made.write(2, [audit(entry('e', 5)), audit(entry('g', 6))]);
      const whole = await ids();
      expect(whole.slice(0, 5)).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(whole.slice(5).sort()).toEqual(['f', 'g']);
      for (const limit of [1, 2, 3, 7]) expect(await ids({ limit })).toEqual(whole);
    });

    it('keeps the order of entries of one slice that are of one moment', async () => {
      await made.write(1, ['p', 'q', 'o', 'n'].map((id) => audit(entry(id, 7))));
      expect(await ids({ limit: 1 })).toEqual(['p', 'q', 'o', 'n']);
    });

    it('is of one tenant, and of one workflow id if asked', async () => {
      await made.write(0, [audit(entry('a', 1)), audit(entry('b', 2, { run: keyOf('b') })), audit(entry('u', 3, { run: keyOf('a', 'r1', 'u') })), audit(entry('c', 4, { run: keyOf('a', 'r2') }))]);
      expect(await ids()).toEqual(['a', 'b', 'c']);
      expect(await ids({ workflowId: 'a', limit: 1 })).toEqual(['a', 'c']);
      expect(await ids({}, 'u')).toEqual(['u']);
      expect(await ids({ workflowId: 'c' })).toEqual([]);
    });

    it.each(['x', '', '1.2.3.4.5.6.7'])('cannot begin at %j', async (cursor) => {
      await expect(made.reader.list('t', { limit: 1, cursor })).rejects.toMatchObject({ code: 'invalid-request' });
    });
  });
}
