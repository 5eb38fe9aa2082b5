import { createHash, hash, randomFillSync } from 'node:crypto';

/** Slots for ever: `hash(tenant, workflowId) → slot` never changes, shards are sets of slots (design §6). */
export const SLOTS = 16_384;

export const slotOf = (tenant: string, workflowId: string): number => {
  const digest = hash('sha256', `${tenant}\u0000${workflowId}`, 'buffer');
  return digest.readUInt16BE(0) % SLOTS;
};

export interface StartIdentity {
  readonly tenant: string;
  readonly workflowId: string;
  readonly startId: string;
}

/** The same start, sent again, names the same run: 32 hex digits of SHA-256. */
export const deriveRunId = ({ tenant, workflowId, startId }: StartIdentity): string =>
  hash('sha256', `${tenant}\u0000${workflowId}\u0000${startId}`, 'hex').slice(0, 32);

export const sha256Hex = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** A UUID of version 7 (RFC 9562 §5.7): sorts by the time it was made. */
export const newId = (nowMs: number): string => {
  const bytes = randomFillSync(Buffer.alloc(16));
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};
