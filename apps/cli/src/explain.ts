import { isPerdureError } from '@perdure/contract';
import { WorkflowFailed } from '@perdure/sdk/client';
import { isNetworkError } from './exit-code.js';
import { stackLines } from './show/stack.js';

/** An error for a person: what happened, and what may help. */
export const explain = (error: unknown, url: string): string => {
  if (isNetworkError(error)) return `perdure: no server answers at ${url} (${error.message || error.name}); start one with "npm start", or name another with --url`;
  if (isPerdureError(error)) return `perdure: ${error.message} [${error.code}]`;
  if (error instanceof WorkflowFailed) return explainFailed(error);
  return `perdure: ${error instanceof Error ? error.message : String(error)}`;
};

const explainFailed = ({ message, cause }: WorkflowFailed): string => {
  const lines = [`perdure: ${message}`];
  for (let error = cause; error instanceof Error; error = error.cause) lines.push(`  ${error === cause ? '' : 'because of '}${error.name}: ${error.message}`, ...stackLines(error.stack).map((line) => `    ${line}`));
  return lines.join('\n');
};

/** The same for a script. */
export const explainAsJson = (error: unknown, url: string): string => {
  if (isPerdureError(error)) return JSON.stringify({ code: error.code, detail: error.message, errors: error.errors }, undefined, 2);
  if (error instanceof WorkflowFailed) return JSON.stringify({ workflowId: error.workflowId, runId: error.runId, status: error.status, error: asJson(error.cause) }, undefined, 2);
  return JSON.stringify({ code: isNetworkError(error) ? 'unreachable' : 'usage', detail: explain(error, url).replace('perdure: ', '') }, undefined, 2);
};

interface ErrorJson {
  readonly type: string;
  readonly message: string;
  readonly cause?: ErrorJson;
}

const asJson = (error: unknown): ErrorJson | undefined => {
  if (!(error instanceof Error)) return undefined;
  const cause = asJson(error.cause);
  return { type: error.name, message: error.message, ...(cause ? { cause } : {}) };
};
