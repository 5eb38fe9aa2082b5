import { compile as parse, TreeInterpreter, type JSONValue } from '@jmespath-community/jmespath';

/** An expression over JSON (https://jmespath.site). */
export type Expression = (value: unknown) => unknown;

const CACHED_MAX = 1_000;
const cached = new Map<string, Expression>();

/** @throws Error when the expression does not parse */
export const compile = (text: string): Expression => {
  const known = cached.get(text);
  if (known) return known;
  const ast = parse(text);
  const expression: Expression = (value) => TreeInterpreter.search(ast, value as JSONValue);
  if (cached.size >= CACHED_MAX) cached.delete(cached.keys().next().value!);
  cached.set(text, expression);
  return expression;
};

/** JMESPath's idea of true: not false, null, an empty string, array or object. */
const isTruthy = (value: unknown): boolean => {
  if (value === undefined || value === null || value === false || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
};

/** A filter that does not parse, or fails on the data, matches nothing. */
export const holds = (filter: string, data: unknown): boolean => {
  try {
    return isTruthy(compile(filter)(data ?? null));
  } catch {
    return false;
  }
};
