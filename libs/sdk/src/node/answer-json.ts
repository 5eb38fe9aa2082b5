import type { Failure, TaskAnswer } from '@perdure/contract';
import { losslessJson } from '../common/lossless-json.js';

/** A failure that another attempt would not mend. */
export const terminalAnswer = (token: string, error: Omit<Failure, 'retryable'>): string => JSON.stringify({ token, kind: 'failed', error: { ...error, retryable: false } } satisfies TaskAnswer);

/** The answer's text; or, where the value is none that JSON has, the failure that says so. */
export const answerJson = (token: string, value: unknown): string => {
  try {
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`it is a ${typeof value}`);
    return losslessJson({ token, kind: 'completed', value });
  } catch (error) {
    return terminalAnswer(token, { type: 'TypeError', message: `The activity's result is not JSON: ${error instanceof Error ? error.message : String(error)}` });
  }
};
