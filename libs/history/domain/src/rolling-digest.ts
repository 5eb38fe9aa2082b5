import { hash } from 'node:crypto';

/** Enough to tell histories apart; snapshots are authenticated besides. */
const DIGEST_BYTES = 16;

export const EMPTY_DIGEST: Uint8Array = Buffer.alloc(DIGEST_BYTES);

/** The rolling hash of a history after one more transition. */
export function extendDigest(before: Uint8Array, transition: { readonly at: number; readonly bundle: string; readonly inputId: string; readonly events: string }): Uint8Array {
  const prefix = Buffer.from(before.buffer, before.byteOffset, before.byteLength).toString('latin1');
  const digest = hash('sha256', `${prefix}\n${transition.at}\n${transition.bundle}\n${transition.inputId}\n${transition.events}`, 'latin1');
  return Buffer.from(digest.slice(0, DIGEST_BYTES), 'latin1');
}
