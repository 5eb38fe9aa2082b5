import type { ActivationOutput, Job, VoidReason } from '@perdure/contract';
import type { BundleCode } from './bundle-source.js';

/** `voided`: a limit fired or the instance trapped. Nothing of the activation counts and the realm is gone. */
export type Activation =
  | { readonly kind: 'ok'; readonly output: ActivationOutput }
  | { readonly kind: 'voided'; readonly reason: VoidReason; readonly message: string };

/** The running code of one run. It belongs to one thread and is driven synchronously. */
export abstract class Realm {
  /** Hands it one job and runs it to rest. */
  abstract activate(job: Job): Activation;
  /** Like `activate`, but the realm is as before when the output has `refused`. */
  abstract activateUnlessRefused(job: Job): Activation;
  /** Runs a job and puts the realm back, whatever it did. */
  abstract probe(job: Job): Activation;
  /** Its image, at rest. `undefined` when it cannot be made now. */
  abstract snapshot(): Uint8Array | undefined;
  /** Gives its instance back. Nothing may be called after it. */
  abstract close(): void;
}

/** Makes realms. */
export abstract class RealmHost {
  /** Identity of the sandbox build: part of every run's pin (I6). */
  abstract readonly build: string;
  /** A realm in which the bundle is evaluated and nothing has happened yet. */
  abstract open(bundle: BundleCode): Promise<Realm>;
  /** @returns undefined when the image was made by another build or on another baseline */
  abstract restore(bundle: BundleCode, image: Uint8Array): Promise<Realm | undefined>;
}
