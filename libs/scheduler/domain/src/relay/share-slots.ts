export interface SharedLeg {
  readonly slots: number;
  /** It was told to end, and keeps its slots until it has. */
  readonly isEnding: boolean;
}

export interface Shares {
  /** Legs to open, by slice; 0 slots: only to watch. */
  readonly open: ReadonlyMap<number, number>;
  /** Legs whose slots are wanted elsewhere. */
  readonly end: readonly number[];
}

/**
 * Shares a worker's free slots among the slices, evenly, the odd ones from `favoured` on. Never gives out more than are free: while slots
 * are tied up in legs that must end first, the slices that want them wait. A leg near its share is left alone, since changing it costs
 * two messages.
 */
export const shareSlots = (legs: readonly (SharedLeg | undefined)[], { free, favoured }: { readonly free: number; readonly favoured: number }): Shares => {
  const count = legs.length;
  const shareOf = (slice: number): number => Math.floor(free / count) + ((slice - favoured + count) % count < free % count ? 1 : 0);
  const open = new Map<number, number>();
  let out = legs.reduce((sum, leg) => sum + (leg?.slots ?? 0), 0);
  let isShort = out > free;
  for (const [slice, leg] of legs.entries()) {
    const share = shareOf(slice);
    if (leg) {
      // Far below its share, it would serve its slice slowly.
      if (leg.slots * 2 < share) isShort = true;
      continue;
    }
    const slots = Math.min(share, Math.max(0, free - out));
    if (slots * 2 < share) {
      isShort = true;
      continue;
    }
    open.set(slice, slots);
    out += slots;
  }
  const isFar = (slots: number, share: number): boolean => slots > share || slots * 2 < share;
  const end = isShort ? [...legs.entries()].filter(([slice, leg]) => leg && !leg.isEnding && isFar(leg.slots, shareOf(slice))).map(([slice]) => slice) : [];
  return { open, end };
};
