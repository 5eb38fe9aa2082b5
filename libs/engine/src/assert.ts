/** A broken invariant stops the caller: what it guards is no longer true. (Not `node:assert`: the engine runs anywhere.) */
export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${why}`);
}
