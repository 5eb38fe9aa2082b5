/**
 * A task has one `input`; an activity may take several arguments. One argument travels as itself, none as no value, several as `{ "$args": [...] }`.
 * Trailing `undefined`s are left off.
 */
export const toInput = (args: readonly unknown[]): unknown => {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  return length <= 1 ? args[0] : { $args: length === args.length ? args : args.slice(0, length) };
};

/** The arguments that `toInput` packed. */
export const fromInput = (input: unknown): readonly unknown[] => {
  if (input === undefined) return [];
  if (typeof input === 'object' && input !== null && '$args' in input && Array.isArray(input.$args) && Object.keys(input).length === 1) return input.$args;
  return [input];
};
