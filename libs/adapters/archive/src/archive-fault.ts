import { PerdureError } from '@perdure/contract';

/** Whatever went wrong between here and the archive: it may pass. Other realms' errors are errors, too. */
export const toUnavailable = (thrown: unknown, doing: string): PerdureError => {
  const { name, message = String(thrown) } = (thrown ?? {}) as Partial<Error>;
  return new PerdureError('unavailable', `The archive cannot ${doing} now: ${name === undefined || name === 'Error' ? '' : `${name}: `}${message}`, { cause: thrown });
};
