import { CockroachBundleSource, CockroachStackMapper, CockroachStateStore, historySliceStore } from '@perdure/cockroach';
import { PerdureError, runKeyOf, type Json } from '@perdure/contract';
import { sliceIndexOf } from '@perdure/delivery';
import { Engine } from '@perdure/engine';
import { HistorySlice, PROCESSOR_LIMITS, type HistoryCommit, type ProcessorEvents, type RunRef } from '@perdure/history';
import { inspectBundle, SandboxRealms, SUSPENDED, suspensionLine, type ShardObserver } from '@perdure/hosting';
import { deriveRunId, sha256Hex } from '@perdure/identity';
import { decidedKeyOf, HintedRoots, HintSender, type MeshParts, type SliceService } from '@perdure/mesh';
import { Sandbox } from '@perdure/sandbox';

const PURGE_RUNS_MAX = 500;

/** The shards of history. All of a node's share one sandbox, and so its limits. */
export const historyService = async (parts: MeshParts): Promise<SliceService<HistoryCommit, HistorySlice>> => {
  const { config, pool, clock, map, logger } = parts;
  const { snapshotKey, counts, retentionMs } = config;
  if (!snapshotKey) throw new PerdureError('invalid-request', 'History needs a snapshot key.');
  const sandbox = await Sandbox.create({ snapshotKey });
  const realms = new SandboxRealms(sandbox);
  const bundles = new CockroachBundleSource(pool, { clock });
  const stacks = new CockroachStackMapper(bundles);
  const engine = new Engine({ deriveRunId, digest: sha256Hex });
  const hints = new HintSender(parts.membership, parts.calls);
  // One node may come to own every shard.
  const share = (limit: number): number => Math.max(1, Math.floor(limit / counts.history));
  const limits = { realmsMax: share(PROCESSOR_LIMITS.realmsMax), realmsInBatchMax: share(PROCESSOR_LIMITS.realmsInBatchMax), runsMax: share(PROCESSOR_LIMITS.runsMax) };
  return {
    hasLog: true,
    requests: new HintedRoots(hints),
    store: (slice) => historySliceStore(pool, slice),
    machine: (slice, { epoch, observer }) => {
      logger.debug({ slice, epoch }, 'opens the shard');
      return HistorySlice.open({ deps: { engine, bundles, stacks, realms, store: new CockroachStateStore(pool, slice), observer, events: toldEvents(parts, { hints, observer }) }, epoch, map, snapshotKey, shard: sliceIndexOf(slice), limits });
    },
    operations: {
      query: (owner, { body }) => {
        const { ref, query } = body as { readonly ref: RunRef; readonly query: { readonly name: string; readonly input?: Json } };
        return owner.read((machine) => machine.processor.query(ref, { ...query, at: clock.now() }));
      },
      inspect: async (_owner, { body }) => inspectBundle(sandbox, (body as { readonly code: string }).code),
    },
    liveRealms: (owners) => owners.reduce((sum, { machine }) => sum + machine.processor.liveRealms, 0),
    sweep: async (owner) => (await owner.read((machine) => machine.processor.purge({ closedBeforeMs: clock.now() - retentionMs, limit: PURGE_RUNS_MAX }))) === PURGE_RUNS_MAX,
  };
};

const toldEvents = ({ logger }: MeshParts, { hints, observer }: { readonly hints: HintSender; readonly observer: ShardObserver }): ProcessorEvents => ({
  outcome: ({ ref, outcome, content }) => hints.decided(decidedKeyOf(ref, content ?? ''), outcome),
  closed: (run, result) => {
    observer.closed(run.tenant, result);
    hints.closed(runKeyOf(run));
  },
  fault: (input, error, run) => {
    const { tenant, workflowId, runId } = run?.run ?? input;
    logger.error({ tenant, workflowId, runId, ...observer.traceFields(runId, run?.trace ?? input.trace), inputId: input.id, error: error.stack }, 'an input was set aside and its run suspended');
  },
  suspended: (run, reason, trace) => {
    observer.suspended(run.tenant, reason);
    const line = suspensionLine(run, reason);
    if (line) logger[line.level]({ ...line.fields, ...observer.traceFields(run.runId, trace) }, SUSPENDED);
  },
  logs: (run, logs, trace) => {
    const fields = { ...run, ...observer.traceFields(run.runId, trace), source: 'workflow' };
    for (const { level, text } of logs) logger[level](fields, text);
  },
});
