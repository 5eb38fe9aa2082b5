import type { RealmJob } from '@perdure/history';

/** One step of a history, to be done by a process that has the code and an image and nothing else. */
export interface RestoredStep {
  /** The realm before the step. */
  readonly image: Uint8Array;
  readonly jobs: readonly RealmJob[];
}

export type ToRestorer =
  | { readonly kind: 'bundle'; readonly hash: string; readonly code: string; readonly snapshotKey: Uint8Array }
  | { readonly kind: 'steps'; readonly bundle: string; readonly steps: readonly RestoredStep[] };

/** What the code asked for (JSON), and the realm after the step. `image` is absent when the run closed or the image was not taken. */
export interface StepDone {
  readonly outputs: readonly string[];
  readonly image?: Uint8Array;
}

export type FromRestorer = { readonly kind: 'ready'; readonly pid: number } | { readonly kind: 'done'; readonly steps: readonly StepDone[] };
