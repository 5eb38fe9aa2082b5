import { isStoreFault, StoreFault } from '@perdure/history';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
export const BUSY = 5;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const TOOBIG = 18;
const CONSTRAINT = 19;
const MISMATCH = 20;
const RANGE = 25;
const NOTADB = 26;

const NAMES: Readonly<Record<number, string>> = {
  [BUSY]: 'the file is in use by another process',
  [READONLY]: 'the file or its folder cannot be written',
  [IOERR]: 'the disk reported an error',
  [CORRUPT]: 'the file is damaged',
  [FULL]: 'the disk is full',
  [CANTOPEN]: 'the file cannot be opened',
  [NOTADB]: 'the file is not a Perdure database',
};

export const sqliteCodeOf = (error: unknown): number | undefined => {
  if (typeof error !== 'object' || error === null || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
};

/**
 * What a failed transaction means. `committing`: the failure came from COMMIT itself. A disk error there leaves open whether the
 * write-ahead log holds the transaction: only opening the file anew tells.
 */
export function toStoreFault(error: unknown, file: string, committing: boolean): unknown {
  if (isStoreFault(error)) return error;
  const code = sqliteCodeOf(error);
  // Errors of the binding itself: a value that SQLite cannot hold.
  if (code === undefined) return isOfBinding(error) ? new StoreFault('contentRefused', error.message, error) : error;
  if (code === TOOBIG || code === CONSTRAINT || code === MISMATCH || code === RANGE) {
    return new StoreFault('contentRefused', `${file}: ${(error as Error).message}`, error);
  }
  const message = `${file}: ${NAMES[code] ?? (error as Error).message}`;
  return new StoreFault(committing && code === IOERR ? 'commitUnknown' : 'unavailable', message, error);
}

const isOfBinding = (error: unknown): error is Error => typeof error === 'object' && error !== null && 'code' in error && (error.code === 'ERR_INVALID_ARG_TYPE' || error.code === 'ERR_OUT_OF_RANGE' || error.code === 'ERR_INVALID_ARG_VALUE');
