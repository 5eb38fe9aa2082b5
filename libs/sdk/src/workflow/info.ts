import type { Attributes, Parent } from '@perdure/contract';
import { realm } from './realm.js';

/** What a run knows of itself. Times are epoch milliseconds. */
export interface WorkflowInfo extends Attributes {
  readonly tenant: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  /** SHA-256 of the bundle it was started on. */
  readonly bundle: string;
  readonly startedAt: number;
  readonly parent?: Parent;
  /** The run it continues as new. */
  readonly continuedFrom?: string;
  readonly runTimeoutMs?: number;
}

/**
 * The run's own names and circumstances.
 *
 * @throws TypeError outside of a run.
 * @example const { workflowId } = workflowInfo();
 */
export const workflowInfo = (): WorkflowInfo => {
  if (realm.info === undefined) throw new TypeError('workflowInfo() was called outside of a workflow run');
  return { ...realm.info };
};
