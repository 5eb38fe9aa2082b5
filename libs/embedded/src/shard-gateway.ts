import type { AnswerReceipt, ExternalEvent, HeartbeatRequest, HeartbeatResponse, Input, InputOutcome, Json, PollRequest, PollResponse, TaskAnswer } from '@perdure/contract';
import type { InspectedBundle, MetricJson } from '@perdure/hosting';

export interface QueryRequest {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId?: string;
  readonly name: string;
  readonly input?: Json;
}

/** What others may want to know of a commit; a hint, never the truth (design §1). */
export interface ShardHints {
  /** Keys (`runKeyOf`) of runs that closed or continued. */
  readonly closed: readonly string[];
  /** Client inputs whose outcome changed after they were first answered (an update that finished): `tenant\0workflowId\0inputId`. */
  readonly decided: readonly string[];
}

/** Figures of a shard, counted since it was opened. */
export interface ShardFigures {
  readonly batches: number;
  readonly inputs: number;
  readonly commitFailures: number;
  readonly commitSeconds: number;
  readonly liveRealms: number;
  readonly queued: number;
}

/** All that is asked of a shard from outside its thread. Every answer that changes something is given after its commit. */
export abstract class ShardGateway {
  abstract append(inputs: readonly Input[]): Promise<readonly InputOutcome[]>;
  abstract publish(events: readonly ExternalEvent[]): Promise<readonly ('accepted' | 'duplicate')[]>;
  abstract query(request: QueryRequest): Promise<{ readonly value?: Json }>;
  abstract poll(tenant: string, request: PollRequest, signal?: AbortSignal): Promise<PollResponse>;
  abstract answer(tenant: string, answers: readonly TaskAnswer[]): Promise<readonly AnswerReceipt[]>;
  abstract heartbeat(tenant: string, requests: readonly HeartbeatRequest[]): Promise<readonly HeartbeatResponse[]>;
  /** Evaluates code as a bundle. @throws PerdureError `bundle-invalid` */
  abstract inspect(code: string): Promise<InspectedBundle>;
  /** The bundle is being retired: when this resolves, what had found it is committed, and nothing finds it any more. */
  abstract forgetBundle(tenant: string, hash: string): Promise<void>;
  abstract figures(): Promise<ShardFigures>;
  /** Prometheus metrics, a set for each shard, to be merged. */
  metrics(): Promise<readonly (readonly MetricJson[])[]> {
    return Promise.resolve([]);
  }
  abstract onHints(listener: (hints: ShardHints) => void): void;
  /** Stops handing out tasks, answers what is in flight. */
  abstract drain(): Promise<void>;
  abstract close(): Promise<void>;
}
