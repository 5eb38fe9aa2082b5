import { LIMITS, PerdureError, whyNoId } from '@perdure/contract';

/** @throws PerdureError `invalid-id` */
export const assertId = (what: string, value: string, bytesMax: number = LIMITS.idBytesMax): string => {
  const why = whyNoId(value, bytesMax);
  if (why) throw new PerdureError('invalid-id', `${what} ${why}.`);
  return value;
};

/** Of a run to be: one that no URL can name could be started, and never be reached. @throws PerdureError `invalid-id` */
export const assertReachableId = (what: string, value: string): string => {
  if (value === '.' || value === '..') throw new PerdureError('invalid-id', `${what} is a step in a path, which no URL can name.`);
  return assertId(what, value);
};

export const assertName = (what: string, value: string): string => assertId(what, value, LIMITS.nameBytesMax);

/** @throws PerdureError `invalid-duration` */
export const assertDurationMs = (what: string, value: number): number => {
  if (!Number.isFinite(value) || value <= 0 || value > LIMITS.durationMsMax) throw new PerdureError('invalid-duration', `${what} is ${value} ms; it must be above 0 and at most ten years.`);
  return Math.ceil(value);
};
