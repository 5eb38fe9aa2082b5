import { Counter, Gauge, Registry } from 'prom-client';

/** Counted as it happens. */
export interface BatchCounts {
  /** Committed, with a transaction. */
  readonly batches: number;
  /** What was in them. */
  readonly inputs: number;
  /** Batches that were taken back. */
  readonly commitFailures: number;
}

/** Looked at when someone asks. */
export interface BatchLevels {
  readonly queued: number;
  readonly liveRealms: number;
}

/** How the loops of a process get on, as Prometheus metrics: those of its shards, or in the mesh those of whatever slices the node owns. */
export class BatchMetrics {
  readonly #counters: Readonly<Record<keyof BatchCounts, Counter>>;
  readonly #gauges: Readonly<Record<keyof BatchLevels, Gauge>>;
  readonly #registry: Registry;

  constructor(registry = new Registry()) {
    this.#registry = registry;
    const registers = [registry];
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers });
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
    this.#counters = {
      batches: counter('perdure_shard_batches_total', 'Batches committed'),
      inputs: counter('perdure_shard_inputs_total', 'Inputs processed'),
      commitFailures: counter('perdure_shard_commit_failures_total', 'Batches taken back'),
    };
    this.#gauges = { liveRealms: gauge('perdure_realms_live', 'Live realms'), queued: gauge('perdure_shard_queue_length', 'Inputs that wait for the shard') };
  }

  add({ batches = 0, inputs = 0, commitFailures = 0 }: Partial<BatchCounts>): void {
    this.#counters.batches.inc(batches);
    this.#counters.inputs.inc(inputs);
    this.#counters.commitFailures.inc(commitFailures);
  }

  set({ liveRealms, queued }: BatchLevels): void {
    this.#gauges.liveRealms.set(liveRealms);
    this.#gauges.queued.set(queued);
  }

  /** In Prometheus' text format, with all that the registry has. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
