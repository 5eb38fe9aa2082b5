import { PerdureError, PROBLEMS, type ProblemCode } from '@perdure/contract';

const isCode = (code: unknown): code is ProblemCode => typeof code === 'string' && Object.hasOwn(PROBLEMS, code);

/** The error that another node of the mesh answered with (problem+json). */
export const fromProblem = (status: number, text: string): PerdureError => {
  const problem = parsed(text);
  if (isCode(problem?.code)) return new PerdureError(problem.code, problem.detail ?? problem.code, { errors: problem.errors });
  return new PerdureError('unavailable', `Answered with ${status}: ${text.slice(0, 300)}`);
};

const parsed = (text: string): { readonly code?: unknown; readonly detail?: string; readonly errors?: unknown } | undefined => {
  try {
    return JSON.parse(text) as { readonly code?: unknown; readonly detail?: string; readonly errors?: unknown };
  } catch {
    return undefined;
  }
};
