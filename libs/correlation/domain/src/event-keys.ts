import { LIMITS, PerdureError, type Json, type Scalar } from '@perdure/contract';
import { compile } from './jmespath.js';

/** Keys stay in memory as long as their event waits for a run: so many per event, and so long each (I9). */
const KEYS_MAX = 64;
const KEY_CHARS_MAX = LIMITS.idBytesMax;

type Keys = Readonly<Record<string, Scalar>>;

const isScalar = (value: unknown): value is Scalar => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const isShort = (value: Scalar): boolean => typeof value !== 'string' || value.length <= KEY_CHARS_MAX;

/**
 * Draws keys by their expressions; one that yields nothing, or no scalar, is left out.
 * @throws PerdureError `limit-exceeded` when a key is too long to be one
 */
export const drawKeys = (expressions: Readonly<Record<string, string>>, from: unknown): Keys => {
  const drawn: [string, Scalar][] = [];
  for (const [name, text] of Object.entries(expressions)) {
    const value = compile(text)(from);
    if (!isScalar(value)) continue;
    if (!isShort(value)) throw new PerdureError('limit-exceeded', `The event's key "${name}" (${text}) is longer than ${KEY_CHARS_MAX} characters.`);
    drawn.push([name, value]);
  }
  return Object.fromEntries(drawn);
};

/** Keys that nobody declared: the `subject`, and whatever short scalars stand at the top of the data, the first of them. */
export const plainKeys = ({ subject, data }: { readonly subject?: string; readonly data?: Json }): Keys => {
  const fields = typeof data === 'object' && data !== null && !Array.isArray(data) ? Object.entries(data) : [];
  const all = subject === undefined ? fields : [['subject', subject] as const, ...fields.filter(([name]) => name !== 'subject')];
  return Object.fromEntries(all.filter((entry): entry is [string, Scalar] => isScalar(entry[1]) && isShort(entry[1])).slice(0, KEYS_MAX));
};
