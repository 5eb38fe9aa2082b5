import type { Effect, Failure, InputBody, Outcome, Parent, ProblemData, RunKey, SignalSender } from '@perdure/contract';
import { given } from './json.js';

/** The outcome of what another run asked for and cannot have. */
export const failedWith = (type: string, { code, detail }: ProblemData): Outcome => ({ status: 'failed', error: { type, message: detail, code, retryable: false } });

export const failure = (type: string, code: string, message: string): Failure => ({ type, message, code, retryable: false });

interface Addressed {
  readonly id: string;
  readonly to: { readonly tenant: string; readonly workflowId: string; readonly runId?: string };
  readonly at: number;
  readonly trace?: string;
}

/** An input for a run, by way of the log. Its id names what caused it, so that a re-send is dropped. */
export const toRun = ({ id, to, at, trace }: Addressed, body: InputBody): Effect => ({
  to: 'history',
  input: given({ id, tenant: to.tenant, workflowId: to.workflowId, runId: to.runId, at, trace, ...body }),
});

const target = ({ tenant, workflowId, runId }: RunKey): RunKey => ({ tenant, workflowId, runId });

export const tellChildStarted = (parent: Parent, childRunId: string, at: number): Effect =>
  toRun({ id: `${parent.runId}/${parent.seq}/started`, to: target(parent), at }, { kind: 'childStarted', seq: parent.seq, childRunId });

export const tellChildClosed = (parent: Parent, outcome: Outcome, at: number): Effect =>
  toRun({ id: `${parent.runId}/${parent.seq}/closed`, to: target(parent), at }, { kind: 'childClosed', seq: parent.seq, outcome });

export const tellSender = (from: SignalSender, outcome: Outcome, at: number): Effect =>
  toRun({ id: `${from.runId}/${from.seq}/settled`, to: target(from), at }, { kind: 'signalSettled', seq: from.seq, outcome });

/** The id under which a run asks another for something. */
export const askId = (run: RunKey, seq: number, what?: string): string => `${run.runId}/${seq}${what === undefined ? '' : `/${what}`}`;
