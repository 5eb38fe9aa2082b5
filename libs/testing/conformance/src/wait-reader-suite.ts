import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CorrelationChange, WaitReader, WaitRow } from '@perdure/correlation';
import type { MadeReader, MakeReader } from './made-reader.js';
import { keyOf, ODD_TEXTS } from './sample-rows.js';

const waitRow = (workflowId: string, seq: number, more: Partial<WaitRow> = {}): WaitRow => ({
  key: `${workflowId}/${seq}`, run: keyOf(workflowId), seq, chain: 'r1', wait: { type: 'scan', match: { tracking: ODD_TEXTS.join(), leg: 2, last: true }, filter: 'a > `1`', sinceMs: 4 }, order: seq, openedAt: 100 + seq, ...more,
});

const put = (row: WaitRow): CorrelationChange => ({ kind: 'putWait', row });

/** What every adapter of the waits owes those who look at what a run waits for. */
export function waitReaderSuite(name: string, make: MakeReader<WaitReader, readonly CorrelationChange[]>): void {
  describe(`WaitReader: ${name}`, () => {
    let made: MadeReader<WaitReader, readonly CorrelationChange[]>;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());
    const seqs = async (workflowId: string, tenant = 't'): Promise<readonly number[]> => (await made.reader.ofWorkflow(tenant, workflowId)).map(({ seq }) => seq);

    it('shows a wait as it was opened', async () => {
      const { run, seq, wait, openedAt } = waitRow('a', 1);
      await made.write(0, [put(waitRow('a', 1))]);
      expect(await made.reader.ofWorkflow('t', 'a')).toEqual([{ run, seq, wait, openedAt }]);
    });

    it('shows those of all slices, the oldest first', async () => {
      await made.write(0, [put(waitRow('a', 3)), put(waitRow('a', 1))]);
      await made.write(2, [put(waitRow('a', 2)), put(waitRow('a', 4))]);
      expect(await seqs('a')).toEqual([1, 2, 3, 4]);
    });

    it('shows the waits of one workflow id of one tenant, of all its runs', async () => {
      await made.write(0, [put(waitRow('a', 1)), put(waitRow('b', 2)), put(waitRow('a', 3, { key: 'u', run: keyOf('a', 'r1', 'u') })), put(waitRow('a', 4, { run: keyOf('a', 'r2') }))]);
      expect(await seqs('a')).toEqual([1, 4]);
      expect(await seqs('a', 'u')).toEqual([3]);
      expect(await seqs('c')).toEqual([]);
    });

    it('shows one that an event was offered to, but none that is over', async () => {
      await made.write(0, [put(waitRow('a', 1, { offered: 7 })), put(waitRow('a', 2, { offered: 8, closed: true })), put(waitRow('a', 3, { closed: true })), put(waitRow('a', 4))]);
      expect(await seqs('a')).toEqual([1, 4]);
      await made.write(0, [{ kind: 'deleteWait', key: 'a/4' }, { kind: 'deleteWait', key: 'a/1' }, put(waitRow('a', 1, { closed: true }))]);
      expect(await seqs('a')).toEqual([]);
    });
  });
}
