import { StoreFault } from '@perdure/delivery';
import { DatabaseError } from 'pg';

/**
 * Where an error came from:
 * - `connecting`: nothing was sent
 * - `reading`: nothing can have been written
 * - `writing`: a statement of a transaction whose COMMIT had not had its turn
 * - `committing`: COMMIT itself, or a statement that is its own transaction
 */
export type Phase = 'connecting' | 'reading' | 'writing' | 'committing';

/** SQLSTATE, if the server sent one. */
export const sqlStateOf = (error: unknown): string | undefined => (error instanceof DatabaseError ? error.code : undefined);

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK = '40P01';
const COMPLETION_UNKNOWN = '40003';
/** Value, constraint and program limit: it is the content's fault. */
const CONTENT_CLASSES = new Set(['22', '23', '54']);
/** Connection lost, operator's intervention (also a cancelled statement): the server may have been further than it could say. */
const CUT_CLASSES = new Set(['08', '57']);

/** Others were in the way; certainly nothing was written. */
export const isConflict = (error: unknown): boolean => [SERIALIZATION_FAILURE, DEADLOCK].includes(sqlStateOf(error) ?? '');

/** The connection is of no use any more, or nobody knows in what state. */
export const isBroken = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state === undefined || state === COMPLETION_UNKNOWN || CUT_CLASSES.has(state.slice(0, 2));
};

/** What an error of the driver or the server means for who asked. */
export function toStoreFault(error: unknown, phase: Phase): StoreFault {
  const state = sqlStateOf(error);
  const why = error instanceof Error ? error.message : String(error);
  const message = state === undefined ? why : `${why} (SQLSTATE ${state})`;
  if (phase === 'connecting' || phase === 'reading') return new StoreFault('unavailable', message, error);
  if (isBroken(error)) return new StoreFault('commitUnknown', message, error);
  if (CONTENT_CLASSES.has(state!.slice(0, 2))) return new StoreFault('contentRefused', message, error);
  if (isConflict(error) || phase === 'writing') return new StoreFault('unavailable', message, error);
  return new StoreFault('commitUnknown', message, error);
}
