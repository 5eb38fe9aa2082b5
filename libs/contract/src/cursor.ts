import { PerdureError } from './error.js';

/** Where a list goes on: whole numbers, none where nothing was given yet. Opaque to whoever holds it. */
export type Places = readonly (number | undefined)[];

export const toCursor = (places: Places): string => places.map((place) => place ?? '-').join('.');

const isPlace = (text: string): boolean => text === '-' || (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)));

/** @throws PerdureError `invalid-request` when it has not that many places */
export function fromCursor(cursor: string, count: number): Places {
  const places = cursor.split('.');
  if (places.length !== count || !places.every(isPlace)) throw new PerdureError('invalid-request', 'cursor is not one that this API gave.');
  return places.map((place) => (place === '-' ? undefined : Number(place)));
}
