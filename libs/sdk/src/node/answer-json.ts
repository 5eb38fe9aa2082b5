import type { Failure, TaskAnswer } from '@perdure/contract';

/** A failure that another attempt would not mend. */
export const terminalAnswer = (token: string, error: Omit<Failure, 'retryable'>): string => JSON.stringify({ token, kind: 'failed', error: { ...error, retryable: false } } satisfies TaskAnswer);

/** The answer's text; or, where the value is none that JSON has, the failure that says so. */
export const answerJson = (token: string, value: unknown): string => {
  try {
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`it is a ${typeof value}`);
    const text = JSON.stringify({ token, kind: 'completed', value });
    // What would be lost in silence leaves this behind; only then is the value walked.
    if (text.includes('{}')) JSON.stringify(value, refuseLossy);
    return text;
  } catch (error) {
    return terminalAnswer(token, { type: 'TypeError', message: `The activity's result is not JSON: ${error instanceof Error ? error.message : String(error)}` });
  }
};

const LOSSY = [
  [Map, 'a Map (use Object.fromEntries)'],
  [Set, 'a Set (use an array)'],
  [Promise, 'a promise (await it first)'],
] as const;

function refuseLossy(this: unknown, key: string, value: unknown): unknown {
  const found = LOSSY.find(([type]) => value instanceof type);
  if (found) throw new TypeError(`it holds ${found[1]}${key === '' ? '' : ` under ${JSON.stringify(key)}`}`);
  return value;
}
