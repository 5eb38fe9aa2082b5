import type { Segment } from './log-archive.js';

/** The segment that has `offset`, and reaches furthest of those. */
export function segmentAt(segments: readonly Segment[], offset: number): Segment | undefined {
  let best: Segment | undefined;
  for (const segment of segments) if (segment.first <= offset && segment.last >= offset && (!best || segment.last > best.last)) best = segment;
  return best;
}

/** Segments that together have everything from `offset` on, as far as there is no gap, in order. */
export function chainFrom(segments: readonly Segment[], offset: number): readonly Segment[] {
  const chain: Segment[] = [];
  for (let next = segmentAt(segments, offset); next; next = segmentAt(segments, next.last + 1)) chain.push(next);
  return chain;
}
