import type { BatchObserver } from '@perdure/delivery';
import type { BatchMetrics, ShardObserver } from '@perdure/hosting';

/** Hands on what became of a slice's batches, and counts them for its node. */
export const countedBatches = (observer: Pick<ShardObserver, 'committed' | 'takeBack'>, metrics: BatchMetrics): BatchObserver => ({
  committed: ({ works, isWritten }) => {
    metrics.add({ batches: isWritten ? 1 : 0, inputs: works });
    observer.committed();
  },
  takeBack: () => {
    metrics.add({ commitFailures: 1 });
    observer.takeBack();
  },
});

/** All that waits for the owners' next batches. */
export const waitingIn = async (owners: readonly { waiting(): Promise<number> }[]): Promise<number> => (await Promise.all(owners.map((owner) => owner.waiting()))).reduce((sum, count) => sum + count, 0);
