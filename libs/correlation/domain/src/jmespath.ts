import { compile as parse, TreeInterpreter, type JSONValue } from '@jmespath-community/jmespath';
import { z } from 'zod';

/** An expression over JSON (https://jmespath.site). */
export type Expression = (value: unknown) => unknown;

/** Filters come from workflow code: one is at most so long, and so many are kept parsed (I9). */
const EXPRESSION_CHARS_MAX = 4_096;
const CACHED_MAX = 1_000;
const cached = new Map<string, Expression>();

/** @throws Error when the expression does not parse, or is over its limit */
export const compile = (text: string): Expression => {
  const known = cached.get(text);
  if (known) return known;
  if (text.length > EXPRESSION_CHARS_MAX) throw new Error(`longer than ${EXPRESSION_CHARS_MAX} characters`);
  const ast = parse(text);
  const expression: Expression = (value) => TreeInterpreter.search(ast, value as JSONValue);
  if (cached.size >= CACHED_MAX) cached.delete(cached.keys().next().value!);
  cached.set(text, expression);
  return expression;
};

/** An expression in a declaration: one that does not parse is refused where it is declared. */
export const expression = z.string().superRefine((text, context) => {
  try {
    compile(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: `not a JMESPath expression: ${(error as Error).message}` });
  }
});

/** JMESPath's idea of true: not false, null, an empty string, array or object. */
const isTruthy = (value: unknown): boolean => {
  if (value === undefined || value === null || value === false || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
};

/** Why a text is no filter, if it is none: it does not parse, is too long, or calls what is not there. */
export const problemOfFilter = (text: string): string | undefined => {
  try {
    compile(text)(null);
    return undefined;
  } catch (error) {
    const { name, message } = error as Error;
    // That a function does not take null says nothing of the data to come.
    return name === 'Error' && message.startsWith('Invalid type') ? undefined : message;
  }
};

/** A filter that fails on the data does not match it. */
export const holds = (filter: string, data: unknown): boolean => {
  try {
    return isTruthy(compile(filter)(data ?? null));
  } catch {
    return false;
  }
};
