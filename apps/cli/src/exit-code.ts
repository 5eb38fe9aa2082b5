import { isPerdureError, PROBLEMS } from '@perdure/contract';
import { WorkflowFailed } from '@perdure/sdk/client';

/** Stable: scripts may switch on them. The README lists them. */
export const exitCodeOf = (error: unknown): number => {
  if (error instanceof WorkflowFailed) return 5;
  if (!isPerdureError(error)) return isNetworkError(error) ? 6 : 1;
  const [status] = PROBLEMS[error.code];
  if (status === 404) return 3;
  if (status === 401 || status === 403) return 7;
  if (status === 503 || status === 429) return 6;
  return status >= 400 && status < 500 ? 4 : 1;
};

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT']);

export const isNetworkError = (error: unknown): error is Error => error instanceof Error && 'code' in error && NETWORK.has(String(error.code));
