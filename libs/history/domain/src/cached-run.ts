import type { RunState } from '@perdure/engine';
import type { RunRow } from './ports/history-rows.js';
import type { Realm } from './ports/realm-host.js';
import type { DecodedSnapshot } from './snapshot-codec.js';

/** A run in memory. */
export interface CachedRun {
  readonly key: string;
  readonly number: number;
  state: RunState;
  /** What the store shows of it, or will with the next commit. */
  row: RunRow;
  /** Rolling hash of its history to `state.lastEvent`. */
  digest: Uint8Array;
  /** Its code, at `state.lastEvent`. */
  realm?: Realm;
  /** The snapshot it was loaded from, until the realm is wanted. */
  parked?: DecodedSnapshot;
  /** Event at which the last snapshot was made; 0: none. */
  snapshotAt: number;
  /** Its size, if it was made here. */
  snapshotBytes?: number;
  /** Since the cache last looked for something to evict. */
  isUsed?: boolean;
  isRealmUsed?: boolean;
}
