const LOSSY = [
  [Map, 'a Map (use Object.fromEntries)'],
  [Set, 'a Set (use an array)'],
  [Promise, 'a promise (await it first)'],
] as const;

/** JSON text of what users hand over. @throws TypeError where something in it would become `{}` in silence */
export const losslessJson = (value: unknown): string => {
  const text = JSON.stringify(value);
  // What would be lost leaves this behind; only then is the value walked.
  if (text?.includes('{}')) JSON.stringify(value, refuseLossy);
  return text;
};

function refuseLossy(this: unknown, key: string, value: unknown): unknown {
  const found = LOSSY.find(([type]) => value instanceof type);
  if (found) throw new TypeError(`it holds ${found[1]}${key === '' ? '' : ` under ${JSON.stringify(key)}`}`);
  return value;
}
