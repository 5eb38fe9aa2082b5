import { describe, expect, it } from '@jest/globals';
import { BatchMetrics } from '@perdure/hosting';
import { countedBatches, waitingIn } from './counted-batches.js';

describe('The batches of a node', () => {
  it('are counted under the names of the standalone server, and told on', async () => {
    const told: string[] = [];
    const metrics = new BatchMetrics();
    const batches = countedBatches({ committed: () => told.push('committed'), takeBack: () => told.push('taken back') }, metrics);
    batches.committed({ works: 3, isWritten: true });
    batches.committed({ works: 0, isWritten: false });
    batches.takeBack();
    batches.committed({ works: 1, isWritten: true });
    metrics.set({ queued: await waitingIn([{ waiting: async () => 2 }, { waiting: async () => 5 }]), liveRealms: 4 });
    const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toEqual(['perdure_shard_batches_total 2', 'perdure_shard_inputs_total 4', 'perdure_shard_commit_failures_total 1', 'perdure_realms_live 4', 'perdure_shard_queue_length 7']);
    expect(told).toEqual(['committed', 'committed', 'taken back', 'committed']);
  });
});
