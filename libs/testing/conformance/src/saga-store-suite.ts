import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RollbackRow, SagaStore } from '@perdure/compensation';
import type { Made, Make } from './made.js';
import { keyOf } from './sample-rows.js';

const rollback = (order: number, more: Partial<RollbackRow> = {}): RollbackRow => ({
  key: `a/${order}`, order, done: [],
  request: { to: 'compensation', kind: 'rollback', run: keyOf('a'), seq: order, steps: [], cause: 'code', bundle: 'b1', workflowType: 'order', at: 1 },
  ...more,
});

export function sagaStoreSuite(name: string, make: Make<SagaStore>): void {
  describe(`SagaStore: ${name}`, () => {
    let made: Made<SagaStore>;
    beforeEach(async () => {
      made = await make();
    });
    afterEach(() => made.close());
    const load = async (): Promise<RollbackRow[]> => [...(await (await made.reopen()).load())];

    it('gives back rollbacks in rising order, each as it was put last', async () => {
      await made.store.commit([{ kind: 'putRollback', row: rollback(2) }, { kind: 'putRollback', row: rollback(1) }]);
      const further = rollback(2, { done: [{ undoSeq: 1, outcome: { status: 'completed' } }] });
      await made.store.commit([{ kind: 'putRollback', row: further }]);
      expect(await load()).toEqual([rollback(1), further]);
    });

    it('forgets what was deleted', async () => {
      await made.store.commit([{ kind: 'putRollback', row: rollback(1) }]);
      await made.store.commit([{ kind: 'deleteRollback', key: 'a/1' }]);
      expect(await load()).toEqual([]);
    });

    it('takes an audit entry twice without complaint', async () => {
      const entry = { id: 'x', run: keyOf('a'), at: 1, cause: 'code', kind: 'rollbackStarted', steps: 0 } as const;
      await made.store.commit([{ kind: 'audit', entry }]);
      await made.store.commit([{ kind: 'audit', entry }]);
    });
  });
}
