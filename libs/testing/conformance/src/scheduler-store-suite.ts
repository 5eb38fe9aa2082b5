import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { idempotencyKeyOf } from '@perdure/contract';
import type { TaskRow, TaskStore, TimerRow, TimerStore } from '@perdure/scheduler';
import type { Made, Make } from './made.js';
import { keyOf, ODD_TEXTS, taskSpec } from './sample-rows.js';

const taskRow = (seq: number, order = seq): TaskRow => {
  const spec = taskSpec(keyOf('a'), seq);
  return { key: idempotencyKeyOf(spec), order, spec, state: { attempt: 1, failures: 0, crashes: 0, crashesInRow: 0, notBefore: 0 } };
};

const timerRow = (seq: number, dueMs: number, workflowId = 'a'): TimerRow => ({ key: `${workflowId}/${seq}`, run: keyOf(workflowId), seq, dueMs });

export function taskStoreSuite(name: string, make: Make<TaskStore>): void {
  describe(`TaskStore: ${name}`, () => {
    let made: Made<TaskStore>;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());
    const load = async (): Promise<TaskRow[]> => [...(await (await made.reopen()).load())];

    it('gives back what was put, in rising order', async () => {
      await made.store.commit([3, 1, 2].map((seq) => ({ kind: 'putTask', row: taskRow(seq, 10 - seq) })));
      expect(await load()).toEqual([taskRow(3, 7), taskRow(2, 8), taskRow(1, 9)]);
    });

    it('changes the state alone', async () => {
      const state = { attempt: 3, failures: 1, crashes: 2, crashesInRow: 2, notBefore: 99, poisonedAt: 5, progress: ODD_TEXTS, lastFailure: { type: 'Error', message: 'no' } };
      await made.store.commit([{ kind: 'putTask', row: taskRow(1) }]);
      await made.store.commit([{ kind: 'updateTask', key: taskRow(1).key, state }]);
      expect(await load()).toEqual([{ ...taskRow(1), state }]);
    });

    it('forgets what was deleted, and minds no deletion of what is not there', async () => {
      await made.store.commit([{ kind: 'putTask', row: taskRow(1) }, { kind: 'putTask', row: taskRow(2) }]);
      await made.store.commit([{ kind: 'deleteTask', key: taskRow(1).key }, { kind: 'deleteTask', key: 'nothing' }]);
      expect(await load()).toEqual([taskRow(2)]);
    });
  });
}

export function timerStoreSuite(name: string, make: Make<TimerStore>): void {
  describe(`TimerStore: ${name}`, () => {
    let made: Made<TimerStore>;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());
    const load = async (): Promise<TimerRow[]> => [...(await (await made.reopen()).load())].sort((a, b) => (a.key < b.key ? -1 : 1));

    it('gives back what was put; a second put takes the place of the first', async () => {
      await made.store.commit([{ kind: 'putTimer', row: timerRow(1, 100) }, { kind: 'putTimer', row: timerRow(2, 200) }]);
      await made.store.commit([{ kind: 'putTimer', row: timerRow(1, 300) }]);
      expect(await load()).toEqual([timerRow(1, 300), timerRow(2, 200)]);
    });

    it('forgets what was deleted', async () => {
      await made.store.commit([{ kind: 'putTimer', row: timerRow(1, 100) }]);
      await made.store.commit([{ kind: 'deleteTimer', key: timerRow(1, 100).key }, { kind: 'deleteTimer', key: 'nothing' }]);
      expect(await load()).toEqual([]);
    });
  });
}
