import assert from 'node:assert/strict';
import { PerdureError, type VoidReason } from '@perdure/contract';
import type { Baseline } from './baseline.js';
import type { BundleStages } from './bundle-stages.js';
import { LimitHit } from './instance.js';
import { GuestError } from './interpreter.js';
import type { SandboxLimits } from './limits.js';
import { RealmMemory } from './realm-memory.js';
import { applySnapshot, takeSnapshot } from './snapshot.js';
import type { Stage } from './stage.js';

/** What came of one job: its output, or the limit that made it void. */
export type Activation = { readonly kind: 'ok'; readonly output: string } | { readonly kind: 'voided'; readonly reason: VoidReason; readonly message: string };

/**
 * One run's world: its globals, heap and pending promises. Each method may throw `overloaded` when the machine has no memory to bring the realm onto its stage;
 * the realm is then what it was.
 */
export interface Realm {
  /** Gives the job to `__perdure.activate`, runs all pending jobs and returns what `__perdure.drain` says. After `voided` only close() is left. */
  activate(job: string): Activation;
  /** The same, and then the realm's memory is put back, byte for byte. */
  probe(job: string): Activation;
  /** The same; the memory is put back when the output is refused, or `refused` throws. */
  activateUnless(job: string, refused: (output: string) => boolean): Activation;
  /** The realm's memory, at rest, for `Sandbox.restoreRealm` of any process with the same key. */
  snapshot(): Uint8Array;
  /** The realm is gone. */
  close(): void;
}

/** What a realm needs of its sandbox. */
export interface RealmHost {
  readonly limits: SandboxLimits;
  readonly snapshotKey: Uint8Array;
  closed(realm: LiveRealm): void;
}

export class LiveRealm implements Realm {
  readonly memory: RealmMemory;
  readonly baseline: Baseline;
  readonly #host: RealmHost;
  readonly #stages: BundleStages;
  #state: 'live' | 'voided' | 'closed' = 'live';

  constructor(host: RealmHost, stages: BundleStages, baseline: Baseline) {
    this.#host = host;
    this.#stages = stages;
    this.baseline = baseline;
    this.memory = new RealmMemory(baseline.pages);
  }

  activate(job: string): Activation {
    return this.#run(this.#enter(), job);
  }

  probe(job: string): Activation {
    return this.activateUnless(job, () => true);
  }

  activateUnless(job: string, refused: (output: string) => boolean): Activation {
    const stage = this.#enter();
    orOverloaded(() => stage.save(this.memory));
    let isKept = false;
    try {
      const activation = this.#run(stage, job);
      isKept = activation.kind === 'ok' && !refused(activation.output);
      return activation;
    } finally {
      if (!isKept && this.#state === 'live') this.#revert(stage);
    }
  }

  snapshot(): Uint8Array {
    const { instance } = this.#enter();
    this.memory.isCurrent = false;
    return takeSnapshot(instance, this.baseline, this.#host.snapshotKey);
  }

  /** Makes a realm that has run nothing the one of the image, which must fit. */
  restore(image: Uint8Array): void {
    const { instance } = this.#enter();
    this.memory.isCurrent = false;
    orOverloaded(() => applySnapshot(instance, image));
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#stages.close(this.memory);
    this.#host.closed(this);
  }

  #enter(): Stage {
    assert(this.#state === 'live', 'a closed or voided realm does nothing');
    return orOverloaded(() => this.#stages.enter(this.memory));
  }

  /** A realm that cannot be put back is none any more. */
  #revert(stage: Stage): void {
    try {
      orOverloaded(() => stage.revert(this.memory));
    } catch (thrown) {
      this.#void(stage);
      throw thrown;
    }
  }

  #void(stage: Stage): void {
    this.#state = 'voided';
    this.#stages.strike(stage, this.memory);
  }

  #run(stage: Stage, job: string): Activation {
    this.memory.isCurrent = false;
    try {
      return { kind: 'ok', output: stage.instance.run(this.#host.limits.activationMs, () => this.#perform(stage, job)) };
    } catch (thrown) {
      this.#void(stage);
      if (thrown instanceof LimitHit) return { kind: 'voided', reason: thrown.reason, message: thrown.message };
      if (thrown instanceof GuestError) return { kind: 'voided', reason: 'trap', message: thrown.message };
      throw thrown;
    }
  }

  #perform({ instance, interpreter }: Stage, job: string): string {
    const { activate, drain } = this.baseline.roots;
    interpreter.send(activate, job);
    for (;;) {
      interpreter.runJobs();
      const output = interpreter.receive(drain, this.#host.limits.outputBytesMax);
      if (output !== '') return output;
      instance.checkDeadline();
    }
  }
}

/** What the machine has no memory for may come to be later; by name, since the class may be another realm's. */
function orOverloaded<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && 'name' in thrown && thrown.name === 'RangeError') throw new PerdureError('overloaded', 'the machine has no room for the realm', { cause: thrown });
    throw thrown;
  }
}
