import { isStoreFault } from '@perdure/history';

/** What became of a batch cannot be known, or the file is another's: memory is not to be believed any more. */
export const isFatal = (error: unknown): boolean => isStoreFault(error) && (error.fault === 'commitUnknown' || error.fault === 'staleOwner');

/** An uncaught error ends the thread, and with it the server; what was acknowledged is in the file. */
export const rethrow = (error: Error): void => {
  setImmediate(() => {
    throw error;
  });
};
