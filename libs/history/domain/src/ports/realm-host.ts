import type { VoidReason } from '@perdure/contract';

/**
 * What came of one job. `output` is the JSON of an `ActivationOutput`. `voided`: a limit fired or the instance trapped; nothing of
 * the activation counts and only `close` may be called.
 */
export type RealmActivation =
  | { readonly kind: 'ok'; readonly output: string }
  | { readonly kind: 'voided'; readonly reason: VoidReason; readonly message: string };

/** The running code of one run. It belongs to one thread and is driven synchronously. `@perdure/sandbox` has it. */
export abstract class Realm {
  /** Hands it one job (JSON) and runs it to rest. */
  abstract activate(job: string): RealmActivation;
  /** Like `activate`, but the realm is put back when the output is refused. */
  abstract activateUnless(job: string, refused: (output: string) => boolean): RealmActivation;
  /** Like `activate`, and the realm is put back whatever it did. */
  abstract probe(job: string): RealmActivation;
  /** Its image, at rest. */
  abstract snapshot(): Uint8Array;
  /** Gives its instance back. Nothing may be called after it. */
  abstract close(): void;
}

/** Makes realms: the part of a sandbox that a shard needs. */
export abstract class RealmHost {
  /** Identity of the sandbox build: part of every run's pin (I6). */
  abstract readonly build: string;
  /** Memory of its live realms. */
  abstract readonly heldBytes: number;
  abstract hasBundle(hash: string): boolean;
  /** Evaluates the bundle once and keeps it. */
  abstract loadBundle(bundle: { readonly hash: string; readonly code: string }): { readonly baselineHash: string };
  /** A realm in which the bundle is evaluated and nothing has happened yet. */
  abstract openRealm(bundleHash: string): Realm;
  /** `undefined` when the image is damaged, or made by another build or on another baseline. */
  abstract restoreRealm(bundleHash: string, image: Uint8Array): Realm | undefined;
}
