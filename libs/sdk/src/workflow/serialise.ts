import { stringify } from './primordials.js';

let strict = false;

const refuse = (thing: string) =>
  function toJSON(this: unknown, key: string): unknown {
    if (strict) throw new TypeError(`it holds ${thing}${key === '' ? '' : ` under ${stringify(key)}`}`);
    return typeof this === 'function' ? undefined : this;
  };

/**
 * `JSON.stringify` drops functions, and turns a Map or a forgotten promise into `{}`, in silence. These methods make it say so while the runtime serialises,
 * at no cost for what is plain data; at other times they do what `JSON.stringify` does without them.
 */
export const installStrictSerialising = (): void => {
  const refusals: [object, string][] = [
    [Function.prototype, 'a function'],
    [Promise.prototype, 'a promise (await it first)'],
    [Map.prototype, 'a Map (use Object.fromEntries)'],
    [Set.prototype, 'a Set (use an array)'],
  ];
  for (const [prototype, thing] of refusals) {
    Object.defineProperty(prototype, 'toJSON', { value: refuse(thing), writable: true, enumerable: false, configurable: true });
  }
};

/** The value's JSON text, as it is now; `undefined` for no value. Throws a TypeError that says what is wrong with it. */
export const toJson = (value: unknown, what: string): string | undefined => {
  if (value === undefined) return undefined;
  strict = true;
  let text: string | undefined;
  try {
    text = stringify(value);
  } catch (error) {
    throw new TypeError(`${what} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    strict = false;
  }
  if (text === undefined) throw new TypeError(`${what} is not JSON: it is a ${typeof value}`);
  return text;
};

/** `,"name":<json>`, or nothing when there is no value. */
export const field = (name: string, json: string | undefined): string => (json === undefined ? '' : `,"${name}":${json}`);
