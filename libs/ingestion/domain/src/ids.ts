import { LIMITS, PerdureError, whyNoId } from '@perdure/contract';

/** @throws PerdureError `invalid-id` */
export const assertId = (what: string, value: string, bytesMax: number = LIMITS.idBytesMax): string => {
  const why = whyNoId(value, bytesMax);
  if (why) throw new PerdureError('invalid-id', `${what} ${why}.`);
  return value;
};

export const assertName = (what: string, value: string): string => assertId(what, value, LIMITS.nameBytesMax);

/** @throws PerdureError `invalid-duration` */
export const assertDurationMs = (what: string, value: number): number => {
  if (!Number.isFinite(value) || value <= 0 || value > LIMITS.durationMsMax) throw new PerdureError('invalid-duration', `${what} is ${value} ms; it must be above 0 and at most ten years.`);
  return Math.ceil(value);
};
