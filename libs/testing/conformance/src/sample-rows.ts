import type { ActivityOptions, RunKey, TaskSpec } from '@perdure/contract';
import type { HistoryCommit, InputRow, RunRow, TransitionRow } from '@perdure/history';

/** Every sort of text that a column must bring back as it was. */
export const ODD_TEXTS = ["it's", 'ünïcödé', '日本語', '🦆', '"quoted" \\ back', '__proto__', 'null', ' ', 'a/b/c'];

export const keyOf = (workflowId: string, runId = 'r1', tenant = 't'): RunKey => ({ tenant, workflowId, runId });

export const runRow = (number: number, run: RunKey, more: Partial<RunRow> = {}): RunRow => ({
  number, ...run, workflowType: 'order', status: 'running', pin: { bundle: 'b1', abi: 1, sandbox: 's1' }, startedAt: 1_000 + number, chain: run.runId, ...more,
});

export const transitionRow = (run: number, last: number, more: Partial<TransitionRow> = {}): TransitionRow => ({
  run, last, at: 1_000 + last, bundle: 'b1', inputId: `i${last}`, events: JSON.stringify([{ kind: 'timerFired', seq: last }]), digest: Buffer.alloc(16, last), ...more,
});

export const inputRow = (workflowId: string, inputId: string, more: Partial<InputRow> = {}): InputRow => ({
  tenant: 't', workflowId, inputId, content: 'c', at: 1_000, outcome: { kind: 'accepted', runId: 'r1' }, ...more,
});

type Changes = Partial<Pick<HistoryCommit, 'transitions' | 'runs' | 'inputs' | 'snapshots' | 'snapshotsDropped'>>;

export const commitOf = (head: { readonly epoch: number; readonly cursor: number }, changes: Changes, to = head.cursor + 1): HistoryCommit => ({
  shard: 0, epoch: head.epoch, cursor: { from: head.cursor, to }, transitions: [], runs: [], inputs: [], snapshots: [], snapshotsDropped: [], ...changes,
});

const OPTIONS: ActivityOptions = { queue: 'default', startToCloseTimeoutMs: 60_000, retry: { maxAttempts: 0, initialIntervalMs: 1_000, backoffCoefficient: 2, maxIntervalMs: 100_000 } };

export const taskSpec = (run: RunKey, seq: number): TaskSpec => ({ run, seq, role: 'activity', name: 'charge', input: { amount: 1.5, note: ODD_TEXTS }, options: OPTIONS, bundle: 'b1', workflowType: 'order', at: 1_000 });
