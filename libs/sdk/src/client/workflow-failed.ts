import type { RunResult } from '@perdure/contract';
import { toRunError } from './run-error.js';

type Unsuccessful = Extract<RunResult, { status: 'failed' | 'cancelled' | 'terminated' }>;

/** What `result()` rejects with when the run did not complete; `cause` is the error that ended it. */
export class WorkflowFailed extends Error {
  override readonly name = 'WorkflowFailed';
  readonly workflowId: string;
  readonly runId: string;
  readonly status: Unsuccessful['status'];

  constructor(workflowId: string, result: Unsuccessful) {
    super(`Workflow "${workflowId}" ${result.status === 'failed' ? 'failed' : `was ${result.status}`}: ${result.error.message}`, { cause: toRunError(result.error) });
    this.workflowId = workflowId;
    this.runId = result.runId;
    this.status = result.status;
  }
}
