import type { Failure } from '@perdure/contract';
import { fromFailure } from '../common/failure.js';

/**
 * A run's failure as an error that Node shows whole. Node prints an error's stack alone: a realm's begins with its first place and says neither name nor message, and
 * what was thrown without one would get the stack of whoever reads it.
 */
export const toRunError = (failure: Failure): Error => fromFailure(headed(failure));

const headed = ({ cause, ...failure }: Failure): Failure => ({ ...failure, stack: stackOf(failure), ...(cause === undefined ? {} : { cause: headed(cause) }) });

const stackOf = ({ type, message, stack = '' }: Failure): string => {
  const heading = message === '' ? type : `${type}: ${message}`;
  if (stack.trim() === '') return heading;
  return /^\s*at /.test(stack) ? `${heading}\n${stack.trimEnd()}` : stack;
};
