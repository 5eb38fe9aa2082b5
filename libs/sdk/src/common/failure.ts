import type { Failure, Json } from '@perdure/contract';
import { Cancelled, TerminalError, TimedOut } from './errors.js';

const CAUSES_MAX = 8;
const MESSAGE_CHARS_MAX = 16_384;
const STACK_CHARS_MAX = 8_192;

const clip = (text: string, charsMax: number): string => (text.length > charsMax ? `${text.slice(0, charsMax)}… (${text.length} characters)` : text);

/** Reads a property of something that may be hostile: a getter may throw, a Proxy may lie. */
export const readSafely = (target: object, key: string): unknown => {
  try {
    return (target as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
};

const toText = (value: unknown): string => {
  try {
    if (typeof value === 'string') return value;
    if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? String(value);
    return String(value);
  } catch {
    return 'a value that cannot be shown';
  }
};

const toJson = (value: unknown): Json | undefined => {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? undefined : (JSON.parse(text) as Json);
  } catch {
    return undefined;
  }
};

/** Any thrown thing as data. Never throws itself; what is not JSON is left out, what is too long is clipped. */
export const toFailure = (thrown: unknown): Failure => convert(thrown, 0);

const convert = (thrown: unknown, depth: number): Failure => {
  if (typeof thrown !== 'object' || thrown === null) return { type: 'Error', message: clip(toText(thrown), MESSAGE_CHARS_MAX) };
  const [name, message, stack, code, retryable, details, cause] = ['name', 'message', 'stack', 'code', 'retryable', 'details', 'cause'].map((key) => readSafely(thrown, key));
  const isError = typeof message === 'string';
  return {
    type: typeof name === 'string' && name !== '' && isError ? clip(name, 256) : 'Error',
    message: clip(isError ? message : toText(thrown), MESSAGE_CHARS_MAX),
    ...(typeof stack === 'string' && { stack: clip(stack, STACK_CHARS_MAX) }),
    ...(typeof code === 'string' && { code: clip(code, 256) }),
    ...(typeof retryable === 'boolean' && { retryable }),
    ...(isError && details !== undefined && { details: toJson(details) }),
    ...(cause !== undefined && cause !== null && isError && depth < CAUSES_MAX && { cause: convert(cause, depth + 1) }),
  };
};

/**
 * An error that shows what the failure says: `name` is its type, `message`, `stack`, `code`, `details` and `cause` are as they were.
 * `Cancelled`, `TimedOut` and `TerminalError` come back as their own class.
 */
export const fromFailure = (failure: Failure): Error => {
  const cause = failure.cause === undefined ? undefined : fromFailure(failure.cause);
  const { code, details } = failure;
  const error = create(failure, { cause, code, details });
  if (failure.stack !== undefined) define(error, 'stack', failure.stack);
  if (failure.retryable !== undefined) define(error, 'retryable', failure.retryable);
  return error;
};

const create = (failure: Failure, options: { readonly cause?: unknown; readonly code?: string; readonly details?: unknown }): Error => {
  switch (failure.type) {
    case 'Cancelled':
      return new Cancelled(failure.message, options);
    case 'TimedOut':
      return new TimedOut(failure.message, options);
    case 'TerminalError':
      return new TerminalError(failure.message, options);
    default: {
      const error = new Error(failure.message, options.cause === undefined ? undefined : { cause: options.cause });
      define(error, 'name', failure.type);
      if (options.code !== undefined) define(error, 'code', options.code);
      if (options.details !== undefined) define(error, 'details', options.details);
      return error;
    }
  }
};

const define = (error: Error, key: string, value: unknown): void => {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
};
