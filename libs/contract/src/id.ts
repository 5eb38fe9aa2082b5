import { LIMITS } from './limits.js';

// C0, DEL, C1 and the two Unicode separators: what no log line, key or header should hold. Keys are joined by one of them.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** A realm has no TextEncoder. */
const utf8Bytes = (value: string): number => {
  let bytes = 0;
  for (const character of value) {
    const code = character.codePointAt(0)!;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
};

/** Why a text may not be an id, to follow what it is; `undefined` when it may. */
export const whyNoId = (value: string, bytesMax: number = LIMITS.idBytesMax): string | undefined => {
  if (value === '') return 'is empty';
  if (CONTROL.test(value)) return 'holds a control character';
  if (!value.isWellFormed()) return 'is not well-formed Unicode';
  const bytes = utf8Bytes(value);
  return bytes > bytesMax ? `is ${bytes} bytes long, over the ${bytesMax} allowed` : undefined;
};
