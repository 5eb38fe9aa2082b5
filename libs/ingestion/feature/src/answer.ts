import { PerdureError, PROBLEMS, type InputOutcome, type ProblemCode } from '@perdure/contract';
import type { Submitted } from '@perdure/ingestion';
import type { FastifyReply } from 'fastify';

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

/** @throws PerdureError when the engine refused the input */
export const assertAccepted = (outcome: InputOutcome | undefined): Exclude<InputOutcome, { kind: 'refused' }> | undefined => {
  if (outcome?.kind !== 'refused') return outcome;
  const { code, detail, errors } = outcome.problem;
  throw new PerdureError(isProblemCode(code) ? code : 'internal', detail, errors === undefined ? {} : { errors });
};

export const locationOf = (workflowId: string): string => `/v1/workflows/${encodeURIComponent(workflowId)}`;

/** The input is durable and its outcome is not known yet: 202, with the place to ask. */
export const answerPending = (reply: FastifyReply, { workflowId, inputId }: Submitted): { readonly workflowId: string; readonly inputId: string; readonly status: 'pending' } => {
  void reply.status(202).header('location', `${locationOf(workflowId)}/inputs/${encodeURIComponent(inputId)}`);
  return { workflowId, inputId, status: 'pending' };
};
