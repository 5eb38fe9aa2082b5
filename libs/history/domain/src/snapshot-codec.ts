import { createHmac, timingSafeEqual } from 'node:crypto';
import { ENGINE_ABI } from '@perdure/contract';
import type { RunState } from '@perdure/engine';
import { ALL_GUARDS, type Guards } from '@perdure/guards';

export interface DecodedSnapshot {
  readonly last: number;
  readonly digest: Uint8Array;
  readonly state: RunState;
  readonly image: Uint8Array;
}

/** Raise it when the shape of `RunState` or of the body changes: older snapshots are then replayed instead. */
const FORMAT = 1;

const TAG_BYTES = 32;
const LENGTH_BYTES = 4;

const tagOf = (key: Uint8Array, context: string, parts: readonly Uint8Array[]): Buffer => {
  const mac = createHmac('sha256', key).update(context).update('\u0000');
  for (const part of parts) mac.update(part);
  return mac.digest();
};

/** What a snapshot is bound to: an image of another run or moment must not pass (I7). */
export interface SnapshotBinding {
  readonly run: string;
  readonly last: number;
  readonly digest: Uint8Array;
}

const contextOf = ({ run, last, digest }: SnapshotBinding): string => `${ENGINE_ABI}\u0000${FORMAT}\u0000${run}\u0000${last}\u0000${Buffer.from(digest).toString('hex')}`;

/** `tag ‖ length of state ‖ state as JSON ‖ realm image`. */
export function encodeSnapshot(key: Uint8Array, binding: SnapshotBinding, content: { readonly state: RunState; readonly image: Uint8Array }): Uint8Array {
  const state = Buffer.from(JSON.stringify(content.state));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(state.length);
  const parts = [length, state, content.image];
  return Buffer.concat([tagOf(key, contextOf(binding), parts), ...parts]);
}

/** `undefined` when it was made with another key, for another binding, or is damaged. */
export const decodeSnapshot = (key: Uint8Array, binding: SnapshotBinding, body: Uint8Array): DecodedSnapshot | undefined => decodeUnder({ key, guards: ALL_GUARDS }, binding, body);

export function decodeUnder({ key, guards }: { readonly key: Uint8Array; readonly guards: Guards }, binding: SnapshotBinding, body: Uint8Array): DecodedSnapshot | undefined {
  if (body.length < TAG_BYTES + LENGTH_BYTES) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const rest = bytes.subarray(TAG_BYTES);
  if (guards.has('snapshotAuthentication') && !timingSafeEqual(bytes.subarray(0, TAG_BYTES), tagOf(key, contextOf(binding), [rest]))) return undefined;
  const end = LENGTH_BYTES + rest.readUInt32LE();
  const state = JSON.parse(rest.toString('utf8', LENGTH_BYTES, end)) as RunState;
  return { last: binding.last, digest: binding.digest, state, image: rest.subarray(end) };
}
