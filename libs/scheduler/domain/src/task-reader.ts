import type { TaskView } from '@perdure/contract';
import type { TaskRow } from './task-row.js';

/** Tasks that have not closed, for whoever wants to see how a run's activities fare. What a worker has in hand is memory of the slice's owner, so it does not show. */
export abstract class TaskReader {
  /** Of all runs of the workflow id, in the order of their scheduling; the first 1,000 that are found. */
  abstract ofWorkflow(tenant: string, workflowId: string): Promise<readonly TaskView[]>;
}

export const TASKS_SHOWN_MAX = 1_000;

/** All keys (`idempotencyKeyOf`) of a workflow id's tasks are at `from` or after it and before `before`, byte by byte; so are those of ids that begin with it and a slash. */
export const taskKeysOf = (tenant: string, workflowId: string): { readonly from: string; readonly before: string } => {
  const prefix = `${tenant}/${workflowId}`;
  // '0' follows '/'.
  return { from: `${prefix}/`, before: `${prefix}0` };
};

type Shown = Pick<TaskRow, 'spec' | 'state'>;

export const toTaskViews = (rows: Iterable<Shown>, workflowId: string): TaskView[] =>
  [...rows].filter(({ spec }) => spec.run.workflowId === workflowId).map(toTaskView).sort((a, b) => a.scheduledAt - b.scheduledAt || a.seq - b.seq);

const toTaskView = ({ spec, state }: Shown): TaskView => {
  const { run, seq, role, name, options, at } = spec;
  const { attempt, failures, crashes, notBefore, poisonedAt, cancelRequested, accepted, progress, lastFailure } = state;
  return {
    run, seq, role, name, queue: options.queue, scheduledAt: at, attempt, failures, crashes,
    ...(notBefore > 0 ? { notBefore } : {}),
    ...(poisonedAt === undefined ? {} : { poisonedAt }),
    ...(cancelRequested ? { cancelRequested } : {}),
    ...(accepted ? { acceptedUntil: accepted.deadline } : {}),
    ...(progress === undefined ? {} : { progress }),
    ...(lastFailure === undefined ? {} : { lastFailure }),
  };
};
