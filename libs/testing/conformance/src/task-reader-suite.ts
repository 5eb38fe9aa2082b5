import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { idempotencyKeyOf, type RunKey, type TaskView } from '@perdure/contract';
import type { SchedulerChange, TaskReader, TaskRow, TaskState } from '@perdure/scheduler';
import type { MadeReader } from './made-reader.js';
import { keyOf, ODD_TEXTS, taskSpec } from './sample-rows.js';

export interface MadeTaskReader extends MadeReader<TaskReader, readonly SchedulerChange[]> {
  /** The slice that has a workflow id's tasks. */
  sliceOf(tenant: string, workflowId: string): number;
}

const FRESH: TaskState = { attempt: 1, failures: 0, crashes: 0, crashesInRow: 0, notBefore: 0 };

const row = (run: RunKey, seq: number, { role = 'activity', ...state }: Partial<TaskState> & { readonly role?: 'activity' | 'undo' } = {}): TaskRow => {
  const spec = { ...taskSpec(run, seq), role, at: 1_000 + seq } as const;
  return { key: idempotencyKeyOf(spec), order: seq, spec, state: { ...FRESH, ...state } };
};

/** What every adapter of the tasks owes those who look at how a run's activities fare. */
export function taskReaderSuite(name: string, make: () => Promise<MadeTaskReader>): void {
  describe(`TaskReader: ${name}`, () => {
    let made: MadeTaskReader;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());

    const write = async (...changes: SchedulerChange[]): Promise<void> => {
      for (const change of changes) {
        const { tenant, workflowId } = change.kind === 'putTask' ? change.row.spec.run : keyOf('a');
        await made.write(made.sliceOf(tenant, workflowId), [change]);
      }
    };
    const put = (...args: Parameters<typeof row>): SchedulerChange => ({ kind: 'putTask', row: row(...args) });
    const of = async (workflowId: string, tenant = 't'): Promise<readonly TaskView[]> => made.reader.ofWorkflow(tenant, workflowId);
    const seqs = async (...ref: Parameters<typeof of>): Promise<readonly number[]> => (await of(...ref)).map(({ seq }) => seq);

    it('shows a task that nothing has become of yet', async () => {
      await write(put(keyOf('a'), 1));
      const { name: activity, options } = taskSpec(keyOf('a'), 1);
      expect(await of('a')).toEqual([{ run: keyOf('a'), seq: 1, role: 'activity', name: activity, queue: options.queue, scheduledAt: 1_001, attempt: 1, failures: 0, crashes: 0 }]);
    });

    it('shows what its attempts have come to', async () => {
      const lastFailure = { type: 'Declined', message: ODD_TEXTS.join(), stack: 'at charge', details: { code: 5 } };
      await write(put(keyOf('a'), 1), { kind: 'updateTask', key: idempotencyKeyOf(taskSpec(keyOf('a'), 1)), state: { ...FRESH, attempt: 4, failures: 3, notBefore: 9_000, lastFailure, progress: { page: 2 }, cancelRequested: true } });
      expect(await of('a')).toMatchObject([{ attempt: 4, failures: 3, notBefore: 9_000, lastFailure, progress: { page: 2 }, cancelRequested: true }]);
      await write(put(keyOf('b'), 1, { role: 'undo', crashes: 3, crashesInRow: 3, poisonedAt: 7 }), put(keyOf('c'), 1, { accepted: { token: 'secret', deadline: 8 } }));
      expect(await of('b')).toMatchObject([{ role: 'undo', crashes: 3, poisonedAt: 7 }]);
      expect(await of('c')).toMatchObject([{ acceptedUntil: 8 }]);
      // Who has a token can answer for the attempt.
      expect(JSON.stringify(await of('c'))).not.toContain('secret');
    });

    it('shows those of all runs of one workflow id of one tenant, in the order of their scheduling, and none that has closed', async () => {
      await write(put(keyOf('a'), 10), put(keyOf('a'), 9), put(keyOf('a', 'r2'), 11), put(keyOf('a', 'r1', 'u'), 12), put(keyOf('b'), 13), put(keyOf('a'), 14), { kind: 'deleteTask', key: idempotencyKeyOf(taskSpec(keyOf('a'), 14)) });
      expect(await seqs('a')).toEqual([9, 10, 11]);
      expect(await seqs('a', 'u')).toEqual([12]);
      expect(await seqs('none')).toEqual([]);
    });

    it('tells ids apart that begin alike', async () => {
      const ids = ['a', 'a/b', 'a/', 'a0', 'ab', ...ODD_TEXTS];
      for (const [index, id] of ids.entries()) await write(put(keyOf(id), index));
      for (const [index, id] of ids.entries()) expect(await seqs(id)).toEqual([index]);
    });
  });
}
