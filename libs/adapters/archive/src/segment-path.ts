import type { LogName, Segment } from '@perdure/delivery';

const DIGITS = String(Number.MAX_SAFE_INTEGER).length;
const ENDING = '.jsonl.zst';
const FILE = new RegExp(`^(\\d{${DIGITS}})-(\\d{${DIGITS}})\\.jsonl\\.zst$`);

const padded = (offset: number): string => String(offset).padStart(DIGITS, '0');

/** No two identities have the same, and none has a meaning for a file system. */
const encoded = (identity: string): string => identity.replace(/[^\w-]/g, (character) => `~${character.codePointAt(0)!.toString(16)}.`);

/** Where a log's segments are, without a slash at either end: `history-3/CLUSTER~2f.TOPIC~2f.ID`. */
export const pathOfLog = ({ slice, identity }: LogName): string => `${slice.replace('/', '-')}/${encoded(identity)}`;

/** Sorted as the offsets are. */
export const fileOf = ({ first, last }: Segment): string => `${padded(first)}-${padded(last)}${ENDING}`;

export function parseFile(file: string): Segment | undefined {
  const [, first, last] = FILE.exec(file) ?? [];
  return first === undefined ? undefined : { first: Number(first), last: Number(last) };
}
