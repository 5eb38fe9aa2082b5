import { LIMITS, PerdureError } from '@perdure/contract';

// C0, DEL, C1 and the two Unicode separators: what no log line, key or header should hold.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** @throws PerdureError `invalid-id` */
export const assertId = (what: string, value: string, bytesMax: number = LIMITS.idBytesMax): string => {
  if (value === '') throw new PerdureError('invalid-id', `${what} is empty.`);
  if (CONTROL.test(value)) throw new PerdureError('invalid-id', `${what} holds a control character.`);
  if (!value.isWellFormed()) throw new PerdureError('invalid-id', `${what} is not well-formed Unicode.`);
  const bytes = Buffer.byteLength(value);
  if (bytes > bytesMax) throw new PerdureError('invalid-id', `${what} is ${bytes} bytes long, over the ${bytesMax} allowed.`);
  return value;
};

export const assertName = (what: string, value: string): string => assertId(what, value, LIMITS.nameBytesMax);

/** @throws PerdureError `invalid-duration` */
export const assertDurationMs = (what: string, value: number): number => {
  if (!Number.isFinite(value) || value <= 0 || value > LIMITS.durationMsMax) throw new PerdureError('invalid-duration', `${what} is ${value} ms; it must be above 0 and at most ten years.`);
  return Math.ceil(value);
};
