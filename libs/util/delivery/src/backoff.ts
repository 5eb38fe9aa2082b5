/** Full at first, then doubling to a bound; jitter only ever shortens. */
export const backoffMs = (tries: number, { firstMs, maxMs, random }: { readonly firstMs: number; readonly maxMs: number; readonly random: () => number }): number =>
  Math.max(1, Math.round(Math.min(maxMs, firstMs * 2 ** Math.min(tries, 30)) * (0.5 + 0.5 * random())));
