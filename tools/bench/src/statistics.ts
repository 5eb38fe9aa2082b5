/** The value that `share` of the values do not pass: nearest rank, so always one that was measured. `sorted` rises. */
export const percentile = (sorted: ArrayLike<number>, share: number): number => {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]!;
};

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export const spreadOf = (values: Float64Array): Spread => {
  const sorted = values.toSorted();
  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99), max: percentile(sorted, 1) };
};

/** How many times `ours` is `theirs`; nothing when there is nothing to compare with. */
export const ratioOf = (ours: number | undefined, theirs: number | undefined): number | undefined => {
  if (ours === undefined || theirs === undefined || !(theirs > 0) || !Number.isFinite(ours)) return undefined;
  return ours / theirs;
};

export const concat = (parts: readonly Float64Array[]): Float64Array => {
  const all = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};
