import { LogArchiver, type SliceMachine, type SliceOwner } from '@perdure/delivery';
import type { MeshParts } from '../node/mesh-parts.js';
import { ArchiveMetrics } from './archive-metrics.js';
import { ArchiveRounds } from './archive-rounds.js';

/** Archives and trims the logs of what the node owns, if it is told where to. */
export function startArchiving<Rows, M extends SliceMachine<Rows>>({ archiving, config, clock, random, logger, metrics }: MeshParts, owners: () => readonly SliceOwner<Rows, M>[]): ArchiveRounds<SliceOwner<Rows, M>> | undefined {
  if (!archiving || !config.archive) return undefined;
  const { afterMs } = config.archive;
  const counted = new ArchiveMetrics(metrics.registry, () => rounds.waiting);
  const rounds = new ArchiveRounds<SliceOwner<Rows, M>>({
    clock, random, owners,
    archiver: (owner) =>
      new LogArchiver({ slice: owner.slice, archive: archiving.archive, log: archiving.logOf(owner.slice), committed: () => owner.position, clock, random, defer: (run) => void setImmediate(run), limits: { segmentAfterMs: afterMs } }),
    archived: (slice, records) => {
      counted.archived(records);
      logger.debug({ slice, records }, 'a segment of the log is archived');
    },
    failed: (slice, error, isFirst) => {
      counted.failed();
      if (!error.retryable) logger.error({ slice, error: error.message }, 'the log cannot be archived, and is not trimmed');
      else if (isFirst) logger.warn({ slice, error: error.message }, 'the log cannot be archived now, and is trimmed later; it is tried again');
    },
  });
  return rounds;
}
