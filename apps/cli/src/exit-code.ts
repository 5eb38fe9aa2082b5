import { isPerdureError, PROBLEMS } from '@perdure/contract';
import { WorkflowFailed } from '@perdure/sdk/client';
import { CommanderError } from 'commander';
import { UsageError } from './usage-error.js';

/** Stable: scripts may switch on them. The README lists them. */
export const EXIT_CODES = { done: 0, other: 1, usage: 2, notFound: 3, refused: 4, notCompleted: 5, unreachable: 6, credential: 7 } as const;

export const exitCodeOf = (error: unknown): number => {
  // Help that was asked for is no error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.done : EXIT_CODES.usage;
  if (error instanceof UsageError) return EXIT_CODES.usage;
  if (error instanceof WorkflowFailed) return EXIT_CODES.notCompleted;
  if (!isPerdureError(error)) return isNetworkError(error) ? EXIT_CODES.unreachable : EXIT_CODES.other;
  return byStatus(PROBLEMS[error.code][0]);
};

const byStatus = (status: number): number => {
  if (status === 400) return EXIT_CODES.usage;
  if (status === 404) return EXIT_CODES.notFound;
  if (status === 401 || status === 403) return EXIT_CODES.credential;
  if (status === 503 || status === 429) return EXIT_CODES.unreachable;
  return status < 500 ? EXIT_CODES.refused : EXIT_CODES.other;
};

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EHOSTUNREACH', 'ETIMEDOUT', 'EAI_AGAIN', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT']);

export const isNetworkError = (error: unknown): error is NodeJS.ErrnoException => typeof error === 'object' && error !== null && 'code' in error && NETWORK.has(String(error.code));
